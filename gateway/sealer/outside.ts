import type pg from 'pg'
import { parseLogCheckpoint, type LogCheckpoint } from '#core/audit/log-checkpoint'
import { openNote, parseVerifier, verifierText } from '#core/audit/note'
import { PalisadeError } from '#core/problem'
import { readHead, rootAt } from './head.ts'
import type { CheckpointSigner, CheckpointSink } from './ports.ts'

type Place = Pick<CheckpointSink, 'name' | 'newest'>

/**
 * Compares the database with what is remembered outside of it. A database that is behind was restored or cut, and
 * sealing on would fork the log: only a copy that is not older than the checkpoint lets it go on.
 * @returns the checkpoint where the log ends, which a crash may have kept from going outside
 */
export async function assertNotBehind(
  client: pg.ClientBase,
  sinks: readonly Place[],
  signers: readonly CheckpointSigner[],
): Promise<string | null> {
  const head = await readHead(client)
  for (const sink of sinks) {
    const note = await sink.newest()
    if (note === undefined) continue
    const outside = open(note, sink, signers)
    const isAhead =
      outside.epoch > head.epoch ||
      (outside.epoch === head.epoch && outside.size > head.records.size)
    if (isAhead) {
      throw new PalisadeError(
        'ERR_AUDIT_BEHIND_CHECKPOINT',
        `"${sink.name}" remembers epoch ${outside.epoch} with ${outside.size} records, the database epoch ${head.epoch} with ${head.records.size}`,
      )
    }
    const root = await rootAt(client, outside.epoch, outside.size)
    if (!root || Buffer.compare(root, outside.root) !== 0) {
      throw new PalisadeError(
        'ERR_AUDIT_TAMPERED',
        `the log in the database does not go through the checkpoint ${outside.epoch}/${outside.size} that "${sink.name}" remembers`,
      )
    }
  }
  return head.checkpoint
}

function open(note: string, sink: Place, signers: readonly CheckpointSigner[]): LogCheckpoint {
  const known = signers.flatMap(({ name, publicKey, earlierKeys = [] }) =>
    [publicKey, ...earlierKeys].map((key) => parseVerifier(verifierText(name, key))),
  )
  const opened = openNote(note, known)
  if (!opened) {
    throw new PalisadeError(
      'ERR_AUDIT_TAMPERED',
      `the checkpoint in "${sink.name}" was not signed by a key of this log`,
    )
  }
  try {
    return parseLogCheckpoint(opened.text)
  } catch (cause) {
    const what = `what a key of this log signed in "${sink.name}" is no checkpoint`
    throw new PalisadeError('ERR_AUDIT_TAMPERED', what, { cause })
  }
}
