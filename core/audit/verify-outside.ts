import type { CheckedLog } from './checked-log.ts'
import { isBeyond, isGivenUp } from './epoch-opening.ts'
import type { Loss } from './epochs.ts'
import { place, type Finding } from './findings.ts'
import { parseLogCheckpoint, type LogCheckpoint } from './log-checkpoint.ts'
import { openNote, type NoteVerifier } from './note.ts'
import type { TreeRoots } from './verify-tree.ts'

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
  roots: ReadonlyMap<string, TreeRoots>,
  isCut: boolean,
  losses: readonly Loss[] = [],
): Finding[] {
  const findings: Finding[] = []
  const newest = log.seals.at(-1)
  const end = { epoch: newest?.epoch ?? 1, seq: newest?.seq ?? 0 }
  for (const checkpoint of checkpoints) {
    const { epoch, size } = checkpoint
    if (contradictsEarlier(checkpoint, checkpoints)) {
      findings.push(forked(checkpoint, 'two checkpoints from outside contradict each other'))
      continue
    }
    if (isBeyond(checkpoint, { epoch: end.epoch, size: end.seq })) {
      findings.push(behind(log, checkpoint, end, isCut))
      continue
    }
    const own = roots.get(place(epoch, size))
    const other = own && differs(own, checkpoint)
    if (other) findings.push(forked(checkpoint, other))
    else if (!own && epoch < end.epoch && size > lastOf(log, epoch)) {
      findings.push(...pastEnd(log, checkpoint, losses, isCut))
    }
  }
  return findings
}

/** Why what the log gives for as many records is not what was signed; undefined when it is. */
function differs(own: TreeRoots, { root, numbering }: LogCheckpoint): string | undefined {
  if (!equal(own.records, root)) return 'the log gives another root for this many records'
  return equal(own.numbering, numbering)
    ? undefined
    : 'the log numbers the records of its tenants otherwise'
}

function contradictsEarlier(
  { epoch, size, root, numbering }: LogCheckpoint,
  checkpoints: readonly LogCheckpoint[],
): boolean {
  const first = checkpoints.find((c) => c.epoch === epoch && c.size === size)
  return first !== undefined && !(equal(first.root, root) && equal(first.numbering, numbering))
}

/** Beyond the end of an epoch that others followed: lost, and either given up by two people or taken. */
function pastEnd(
  log: CheckedLog,
  checkpoint: LogCheckpoint,
  losses: readonly Loss[],
  isCut: boolean,
): Finding[] {
  const { epoch, size } = checkpoint
  if (losses.some(({ opening }) => isGivenUp(opening, checkpoint))) return []
  const isNamed = losses.some(({ opening: { lost } }) => lost.epoch === epoch && lost.size === size)
  return [
    isNamed
      ? forked(checkpoint, 'what was given up as lost had another root')
      : behind(log, checkpoint, { epoch, seq: lastOf(log, epoch) }, isCut),
  ]
}

const lastOf = (log: CheckedLog, epoch: number): number =>
  log.batches.findLast((batch) => batch.epoch === epoch)?.last ?? 0

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

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
