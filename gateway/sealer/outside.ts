import type pg from 'pg'
import { isBeyond, isGivenUp, sameEnd, type EpochOpening } from '#core/audit/epoch-opening'
import { parseLogCheckpoint, type LogCheckpoint } from '#core/audit/log-checkpoint'
import { openNote, parseVerifier, verifierText } from '#core/audit/note'
import { PalisadeError } from '#core/problem'
import type { Gap } from './audit-state.ts'
import { firstCheckpointsAfter, readHead, rootAt, type Head } from './head.ts'
import type { CheckpointSigner, CheckpointSink } from './ports.ts'

type Place = Pick<CheckpointSink, 'name' | 'newest'>

/** The database ends before what was signed: ERR_AUDIT_BEHIND_CHECKPOINT, with what lies between. */
export class BehindCheckpoint extends PalisadeError {
  readonly gap: Gap

  constructor(place: string, gap: Gap) {
    const { outside, head } = gap
    super(
      'ERR_AUDIT_BEHIND_CHECKPOINT',
      `"${place}" remembers epoch ${outside.epoch} with ${outside.size} records, the database epoch ${head.epoch} with ${head.size}`,
    )
    this.gap = gap
  }
}

/**
 * Compares the database with what is remembered outside of it. A database that is behind was restored or cut, and
 * sealing on would fork the log: only a copy that is not older than the checkpoint lets it go on, or two people who
 * give up what was lost.
 * @returns the checkpoint where the log ends, which a crash may have kept from going outside
 * @throws BehindCheckpoint with the newest checkpoint of all places
 */
export async function assertNotBehind(
  client: pg.ClientBase,
  sinks: readonly Place[],
  signers: readonly CheckpointSigner[],
): Promise<string | null> {
  const head = await readHead(client)
  let behind: BehindCheckpoint | undefined
  for (const sink of sinks) {
    const note = await sink.newest()
    if (note === undefined) continue
    const outside = open(note, sink.name, signers)
    if (isBeyond(outside, endOf(head))) {
      if (behind && !isBeyond(outside, behind.gap.outside)) assertSameHistory(outside, behind, sink)
      else behind = new BehindCheckpoint(sink.name, { head: endOf(head), outside, note })
      continue
    }
    const root = await rootAt(client, outside.epoch, outside.size)
    if (root && Buffer.compare(root, outside.root) === 0) continue
    if (!root && (await wasGivenUp(client, outside, signers))) continue
    throw new PalisadeError(
      'ERR_AUDIT_TAMPERED',
      `the log in the database does not go through the checkpoint ${outside.epoch}/${outside.size} that "${sink.name}" remembers`,
    )
  }
  if (behind) throw behind
  return head.checkpoint
}

const endOf = ({ epoch, records, root }: Head) => ({ epoch, size: records.size, root })

function assertSameHistory(outside: LogCheckpoint, { gap }: BehindCheckpoint, sink: Place): void {
  if (isBeyond(gap.outside, outside) || sameEnd(gap.outside, outside)) return
  throw new PalisadeError(
    'ERR_AUDIT_TAMPERED',
    `two places outside contradict each other at ${outside.epoch}/${outside.size}, "${sink.name}" is one of them`,
  )
}

/** A later epoch of this log began by naming it as lost: the place has not heard of that epoch yet. */
async function wasGivenUp(
  client: pg.ClientBase,
  outside: LogCheckpoint,
  signers: readonly CheckpointSigner[],
): Promise<boolean> {
  const notes = await firstCheckpointsAfter(client, outside.epoch)
  const openings = notes.map((note) => open(note, 'the database', signers).opening)
  return openings
    .filter((opening): opening is EpochOpening => opening !== undefined)
    .some((opening) => isGivenUp(opening, outside))
}

function open(note: string, place: string, signers: readonly CheckpointSigner[]): LogCheckpoint {
  const known = signers.flatMap((signer) =>
    [signer, ...(signer.earlier ?? [])].map(({ name, publicKey }) =>
      parseVerifier(verifierText(name, publicKey)),
    ),
  )
  const opened = openNote(note, known)
  if (!opened) {
    throw new PalisadeError(
      'ERR_AUDIT_TAMPERED',
      `the checkpoint in "${place}" was not signed by a key of this log`,
    )
  }
  try {
    return parseLogCheckpoint(opened.text)
  } catch (cause) {
    const what = `what a key of this log signed in "${place}" is no checkpoint`
    throw new PalisadeError('ERR_AUDIT_TAMPERED', what, { cause })
  }
}
