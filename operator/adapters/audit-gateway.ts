import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import type { IngestEntry, IngestRequest } from '#api/rest/audit-ingest'
import type { AuditSink } from '../ports.ts'
import type { AuditEntry } from '../secret-rotation/audit-outbox.ts'
import type { ClaimOwner } from '../secret-rotation/state.ts'

export interface GatewayOptions {
  readonly url: string
  readonly tokenFile: string
  readonly ca: string | undefined
}

/** The gateway's internal intake. An entry that was taken before is answered the same, so repeating is safe. */
export function createGatewayAudit({ url, tokenFile, ca }: GatewayOptions): AuditSink {
  const agent = new Agent({ connect: { ...(ca === undefined ? {} : { ca }), timeout: 5_000 } })
  return {
    async deliver(owner, entries, signal) {
      const token = (await readFile(tokenFile, 'utf8')).trim()
      for (const batch of batchesOf(entries)) {
        const body: IngestRequest = { entries: batch.map((entry) => ingestEntry(owner, entry)) }
        const response = await request(new URL('/audit/ingest', url), {
          method: 'POST',
          dispatcher: agent,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
        })
        await response.body.dump()
        if (response.statusCode >= 300)
          throw new Error(`the intake answered ${response.statusCode}`)
      }
    },
  }
}

/** What the intake takes in one request. */
const BATCH = 100

const batchesOf = (entries: readonly AuditEntry[]) =>
  Array.from({ length: Math.ceil(entries.length / BATCH) }, (_, i) =>
    entries.slice(i * BATCH, (i + 1) * BATCH),
  )

const ingestEntry = (owner: ClaimOwner, entry: AuditEntry): IngestEntry => ({
  type: entry.action,
  outcome: 'success',
  rotationId: entry.rotationId,
  seq: entry.seq,
  at: entry.at,
  resource: { kind: 'SecretRotation', ...owner },
  details: entry.details,
})
