import type { CheckedLog } from './checked-log.ts'
import { place, type Finding } from './findings.ts'
import { parseLogCheckpoint, type LogCheckpoint } from './log-checkpoint.ts'
import { openNote, type NoteVerifier } from './note.ts'

/** A checkpoint that was kept outside the database, opened. */
export interface OutsideCheckpoints {
  readonly findings: readonly Finding[]
  readonly checkpoints: readonly LogCheckpoint[]
}

export function openOutside(
  notes: readonly string[],
  verifiers: readonly NoteVerifier[],
): OutsideCheckpoints {
  const findings: Finding[] = []
  const checkpoints: LogCheckpoint[] = []
  notes.forEach((note, i) => {
    const opened = openNote(note, verifiers)
    if (opened) checkpoints.push(parseLogCheckpoint(opened.text))
    else {
      findings.push({
        code: 'SignatureInvalid',
        where: `checkpoint ${i + 1} from outside`,
        detail: 'no known key signed it',
      })
    }
  })
  return { findings, checkpoints }
}

export const sizesOf = (checkpoints: readonly LogCheckpoint[]): ReadonlySet<string> =>
  new Set(checkpoints.map(({ epoch, size }) => place(epoch, size)))

/** Holds the log against what is remembered outside: the same history, and at least as much of it. */
export function verifyOutside(
  log: CheckedLog,
  checkpoints: readonly LogCheckpoint[],
  roots: ReadonlyMap<string, Uint8Array>,
  isCut: boolean,
): Finding[] {
  const findings: Finding[] = []
  const newest = log.seals.at(-1)
  const end = { epoch: newest?.epoch ?? 1, seq: newest?.seq ?? 0 }
  for (const [i, checkpoint] of checkpoints.entries()) {
    const { epoch, size, root } = checkpoint
    const twin = checkpoints.findIndex((c) => c.epoch === epoch && c.size === size)
    if (twin < i && Buffer.compare(checkpoints[twin]?.root ?? root, root) !== 0) {
      findings.push(forked(checkpoint, 'two checkpoints from outside contradict each other'))
      continue
    }
    const isAhead = epoch > end.epoch || (epoch === end.epoch && size > end.seq)
    if (isAhead) {
      findings.push(behind(log, checkpoint, end, isCut))
      continue
    }
    const own = roots.get(place(epoch, size))
    if (own && Buffer.compare(own, root) !== 0) {
      findings.push(forked(checkpoint, 'the log gives another root for this many records'))
    }
  }
  return findings
}

/**
 * The database is behind. If it has lived through the batch that it does not show, the rows were deleted from it;
 * if it has not, it is an older database that was put back.
 */
function behind(
  log: CheckedLog,
  checkpoint: LogCheckpoint,
  end: { readonly epoch: number; readonly seq: number },
  isCut: boolean,
): Finding {
  const { epoch, size, counter } = checkpoint
  const from = epoch === end.epoch ? end.seq + 1 : 1
  const where = place(epoch, from, size)
  const lived = log.header.batchCounter >= counter
  return isCut || lived
    ? { code: 'TailCut', where, detail: `a checkpoint outside covers ${size} records` }
    : {
        code: 'RestoredDump',
        where,
        detail: `this database has sealed ${log.header.batchCounter} batches, the checkpoint outside is of batch ${counter}`,
      }
}

const forked = ({ epoch, size }: LogCheckpoint, detail: string): Finding => ({
  code: 'Forked',
  where: place(epoch, size),
  detail,
})
