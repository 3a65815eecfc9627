import type pg from 'pg'
import { parseLogCheckpoint } from '#core/audit/log-checkpoint'
import { openNote, parseVerifier, verifierText, type NoteSigner } from '#core/audit/note'
import { PalisadeError } from '#core/problem'
import { appendBatch, type Appended } from './append-batch.ts'
import type { Head } from './head.ts'
import { insertOwnRecord, type OwnRecords } from './own-records.ts'
import type { CheckpointSigner } from './ports.ts'

/** The key that signed where the log ends, and the newer one that nobody has heard of yet. */
export interface HandOver {
  readonly from: NoteSigner
  readonly to: CheckpointSigner
}

/**
 * Whether a key has a newer version than the one that signed where the log ends. The log itself says so, so a sealer
 * that was killed, or slept, comes to the same answer.
 * @throws ERR_AUDIT_TAMPERED when no key at hand signed the head: what a sealer did not write is not gone on from
 */
export function handOverDue(
  head: Head,
  signers: readonly CheckpointSigner[],
): HandOver | undefined {
  if (head.checkpoint === null) return undefined
  for (const signer of signers) {
    if (signed(head, signer)) return undefined
    const from = signer.earlier?.findLast((earlier) => signed(head, earlier))
    if (from) return { from, to: signer }
  }
  throw new PalisadeError(
    'ERR_AUDIT_TAMPERED',
    `no key at hand signed the log in the database at ${head.epoch}/${head.records.size}`,
    { remedy: 'put the key back that signed it; without it the log cannot be gone on with' },
  )
}

function signed({ checkpoint, epoch, records, root }: Head, { name, publicKey }: NoteSigner) {
  const opened = openNote(checkpoint ?? '', [parseVerifier(verifierText(name, publicKey))])
  if (!opened) return false
  const said = parseLogCheckpoint(opened.text)
  return said.epoch === epoch && said.size === records.size && Buffer.compare(said.root, root) === 0
}

interface HandOverOptions {
  readonly log: string
  readonly signers: readonly CheckpointSigner[]
  readonly records: OwnRecords | undefined
}

/**
 * One record of it, alone in its batch, whose checkpoint names the new key and is signed by both: whoever trusts the
 * old key learns the new one from it.
 */
export async function handOver(
  client: pg.ClientBase,
  head: Head,
  { from, to }: HandOver,
  { log, signers, records }: HandOverOptions,
): Promise<Appended> {
  const [oldKey, nextKey] = [from, to].map((key) => verifierText(key.name, key.publicKey)) as [
    string,
    string,
  ]
  const leaf = await insertOwnRecord(client, records, {
    eventType: 'audit.key-rotated',
    subject: { kind: 'key', id: to.name },
    request: nextKey.split('+')[1] ?? '',
    details: { oldKey, newKey: nextKey },
  })
  return appendBatch(client, head, [leaf], { log, signers: [from, ...signers], nextKey })
}
