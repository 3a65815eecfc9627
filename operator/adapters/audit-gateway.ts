import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import type { AuditSink } from '../ports.ts'

export interface GatewayOptions {
  readonly url: string
  readonly tokenFile: string
  readonly ca: string | undefined
}

/** The gateway's internal intake. An entry that was taken before is answered the same, so repeating is safe. */
export function createGatewayAudit({ url, tokenFile, ca }: GatewayOptions): AuditSink {
  const agent = new Agent({ connect: { ...(ca === undefined ? {} : { ca }), timeout: 5_000 } })
  return {
    async deliver(rotation, entries, signal) {
      const token = (await readFile(tokenFile, 'utf8')).trim()
      for (const entry of entries) {
        const response = await request(new URL('/audit/ingest', url), {
          method: 'POST',
          dispatcher: agent,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'idempotency-key': `${entry.rotationId}/${entry.seq}`,
          },
          body: JSON.stringify({ ...entry, rotation }),
          signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
        })
        await response.body.dump()
        if (response.statusCode >= 300)
          throw new Error(`the intake answered ${response.statusCode}`)
      }
    },
  }
}
