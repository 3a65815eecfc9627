import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { writeLine, type LogBatch, type LogLine, type LogSeal } from '#core/audit/export'
import { logCheckpointText } from '#core/audit/log-checkpoint'
import { append, EMPTY_FRONTIER, EMPTY_ROOT, leafHash, rootOf } from '#core/audit/merkle'
import { signNote, verifierText } from '#core/audit/note'
import { placeBytes } from '#core/audit/numbering'
import { systemClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import type { AuditRow } from '../../gateway/ports/audit-records.ts'
import type { Caller } from '../../gateway/ports/callers.ts'
import { AuditWriter } from '../../gateway/services/audit.ts'
import { PersonalFields } from '../../gateway/services/personal-fields.ts'
import { noteSigner } from '../../test/support/note-signer.ts'

const LOG = 'palisade.dev/audit/bench'
const TENANTS = 20

/** What belongs to the log and is not in its export. */
export interface LogEvidence {
  readonly verifier: string
  readonly checkpoint: string
  readonly macKey: { readonly id: string; readonly secret: Buffer }
}

/** Records as the gateway's own writer makes them for reads of secrets by people of several tenants. */
export function recordMaker(macKey: LogEvidence['macKey'], tenants = TENANTS) {
  const wrapper = {
    ensureKey: async () => undefined,
    // As long as Vault transit's wrapped form of 32 bytes.
    wrap: async () => `vault:v1:${randomBytes(60).toString('base64')}`,
    unwrap: async () => randomBytes(32),
    ready: async () => ({ ok: true, reason: '' }),
  }
  const writer = new AuditWriter({
    clock: systemClock,
    macKeys: [{ id: macKey.id, key: Sealed.of<Uint8Array>(macKey.secret) }],
    personal: new PersonalFields(wrapper, systemClock),
    writer: 'palisade-gateway-6c9f7d5b8-x2v4q',
  })
  const callers = Array.from({ length: tenants }, (): Caller => {
    const userId = randomUUID()
    return { userId, tenantId: userId, roles: ['user'], tokenVersion: 0, tokenId: randomUUID() }
  })
  return (index: number): Promise<AuditRow> =>
    writer.ofCaller(
      callers[index % callers.length] as Caller,
      {
        requestId: randomUUID(),
        method: 'GET',
        route: '/api/secrets/:name',
        address: '203.0.113.7',
        userAgent: 'orders-service/4.2 (+https://shop.example)',
      },
      {
        eventType: 'secret.read',
        outcome: 'success',
        subject: { kind: 'secret', id: randomUUID(), version: 3 },
      },
    )
}

/** Writes an export of `count` sealed records in batches of `perBatch`, with the tree, MACs and signatures of a real log. */
export async function makeLog(path: string, count: number, perBatch: number): Promise<LogEvidence> {
  const { signer } = noteSigner(LOG)
  const macKey = { id: 'mac-2026-11', secret: createHash('sha256').update('bench').digest() }
  const make = recordMaker(macKey)
  const file = createWriteStream(path, { mode: 0o600, highWaterMark: 1 << 20 })
  const write = async (line: LogLine) => {
    if (!file.write(`${writeLine(line)}\n`)) await once(file, 'drain')
  }
  const batchCounter = Math.ceil(count / perBatch)
  await write({ type: 'header', format: 1, batchCounter, exportedAt: '2026-11-27T09:00:00.000Z' })
  const seals: LogSeal[] = []
  const numbers = new Map<string, number>()
  for (let i = 0; i < count; i += 1) {
    const { id, tenantId: tenant, keyId: key, bytes, mac, leaf } = await make(i)
    await write({
      type: 'record',
      id,
      tenant,
      key,
      record: Buffer.from(bytes),
      mac: Buffer.from(mac),
    })
    const tenantSeq = (numbers.get(tenant) ?? 0) + 1
    numbers.set(tenant, tenantSeq)
    const seal = { epoch: 1, seq: i + 1, id, tenant, tenantSeq, leaf: Buffer.from(leaf) }
    seals.push({ type: 'seal', ...seal })
  }
  for (const seal of seals) await write(seal)
  let [records, numbering] = [EMPTY_FRONTIER, EMPTY_FRONTIER]
  let prevRoot: Uint8Array = EMPTY_ROOT
  let checkpoint = ''
  for (let first = 1, counter = 1; first <= count; first += perBatch, counter += 1) {
    const own = seals.slice(first - 1, first - 1 + perBatch)
    records = append(
      records,
      own.map((seal) => seal.leaf),
    )
    numbering = append(
      numbering,
      own.map((seal) => leafHash(placeBytes(seal))),
    )
    const root = rootOf(records)
    const text = logCheckpointText({
      log: LOG,
      epoch: 1,
      size: records.size,
      root,
      numbering: rootOf(numbering),
      counter,
    })
    checkpoint = await signNote(text, [signer])
    const batch: LogBatch = {
      type: 'batch',
      epoch: 1,
      first,
      last: records.size,
      root: Buffer.from(root),
      prevRoot: Buffer.from(prevRoot),
      frontier: records.nodes.map((node) => Buffer.from(node)),
      numberingFrontier: numbering.nodes.map((node) => Buffer.from(node)),
      checkpoint,
    }
    await write(batch)
    prevRoot = root
  }
  file.end()
  await once(file, 'finish')
  return { verifier: verifierText(LOG, signer.publicKey), checkpoint, macKey }
}
