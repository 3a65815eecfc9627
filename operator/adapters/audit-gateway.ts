import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import type { IngestEntry, IngestRequest } from '#api/rest/audit-ingest'
import type { AuditSink, Delivery } from '../ports.ts'
import type { AuditEntry } from '../secret-rotation/audit-outbox.ts'
import type { ClaimOwner } from '../secret-rotation/state.ts'

export interface GatewayOptions {
  readonly url: string
  readonly tokenFile: string
  readonly ca: string | undefined
}

/** What the intake takes in one request. */
const BATCH = 100
const TIMEOUT_MS = 5_000
/** About the entries themselves; any other answer says that the intake cannot take anything at the moment. */
const ABOUT_ENTRIES: readonly number[] = [400, 409, 413, 422]
/**
 * One refused entry among a hundred is found by the eighth refusal, and each of them may be a record at the receiver.
 * What is untold when this is used up is offered again, without those that are known by then.
 */
const MOST_REFUSALS = 16
interface Patience {
  refusals: number
}

/** The gateway's internal intake. An entry that was taken before is answered the same, so repeating is safe. */
export function createGatewayAudit({ url, tokenFile, ca }: GatewayOptions): AuditSink {
  const agent = new Agent({ connect: { ...(ca === undefined ? {} : { ca }), timeout: TIMEOUT_MS } })

  async function send(owner: ClaimOwner, entries: readonly AuditEntry[], signal: AbortSignal) {
    const token = (await readFile(tokenFile, 'utf8')).trim()
    const body: IngestRequest = { entries: entries.map((entry) => ingestEntry(owner, entry)) }
    const response = await request(new URL('/audit/ingest', url), {
      method: 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body.dump()
    return response.statusCode
  }

  /** One entry that is refused must not hold up the others: the batch is halved until it stands alone. */
  async function tell(
    owner: ClaimOwner,
    entries: readonly AuditEntry[],
    patience: Patience,
    signal: AbortSignal,
  ): Promise<Delivery> {
    if (patience.refusals === 0) return { taken: [], refused: [] }
    const status = await send(owner, entries, signal)
    if (status < 300) return { taken: entries, refused: [] }
    if (!ABOUT_ENTRIES.includes(status)) throw new Error(`the intake answered ${status}`)
    patience.refusals -= 1
    if (entries.length === 1) return { taken: [], refused: entries }
    const half = Math.ceil(entries.length / 2)
    return inTurn([entries.slice(0, half), entries.slice(half)], (part) =>
      tell(owner, part, patience, signal),
    )
  }

  const tellAll: AuditSink['tell'] = (owner, entries, signal) => {
    const patience: Patience = { refusals: MOST_REFUSALS }
    return inTurn(batchesOf(entries), (batch) => tell(owner, batch, patience, signal))
  }
  return {
    tell: tellAll,
    async deliver(owner, entries, signal) {
      const { refused, failure } = await tellAll(owner, entries, signal)
      if (failure !== undefined) throw asError(failure)
      if (refused.length > 0) throw new Error(`the intake refused ${refused.length} entries`)
    },
  }
}

const asError = (failure: unknown): Error =>
  failure instanceof Error ? failure : new Error(String(failure))

/** Oldest first, and no further than the first failure; what was taken before it stays taken. */
async function inTurn(
  parts: readonly (readonly AuditEntry[])[],
  tell: (part: readonly AuditEntry[]) => Promise<Delivery>,
): Promise<Delivery> {
  const taken: AuditEntry[] = []
  const refused: AuditEntry[] = []
  for (const part of parts) {
    const { failure, ...told } = await tell(part).catch((error: unknown): Delivery => ({
      taken: [],
      refused: [],
      failure: error,
    }))
    taken.push(...told.taken)
    refused.push(...told.refused)
    if (failure !== undefined) return { taken, refused, failure }
  }
  return { taken, refused }
}

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
  resource: { kind: 'SecretRotation', ...owner, uid: entry.uid ?? owner.uid },
  details: entry.details,
})
