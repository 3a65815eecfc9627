import pg from 'pg'
import { isCancelledWait, outcomeUnknown } from '../store/outcome.ts'

export interface SealerConnection {
  readonly client: pg.Client
  /**
   * A batch whose wait for the standby was cancelled may be lost with this server. Its checkpoint must not go outside
   * before: the place would be ahead of the database that takes over, and halt the log.
   * @throws ERR_OUTCOME_UNKNOWN when a commit of this connection did not reach the standby
   */
  readonly assertConfirmed: () => void
}

export async function openConnection(config: pg.ClientConfig): Promise<SealerConnection> {
  const client = new pg.Client({
    application_name: 'palisade-sealer',
    connectionTimeoutMillis: 5_000,
    query_timeout: 15_000,
    // A sealer that is stopped in the middle of a batch gives the lock back to the one that can go on.
    idle_in_transaction_session_timeout: 20_000,
    ...config,
  })
  let cancelled = false
  client.on('error', () => undefined)
  client.on('notice', (notice) => (cancelled ||= isCancelledWait(notice)))
  await client.connect()
  return {
    client,
    assertConfirmed() {
      if (cancelled) throw outcomeUnknown()
    },
  }
}

/** What an earlier connection committed may be on this server alone; behind this commit it is on the standby, too. */
export async function confirmEarlier({ client, assertConfirmed }: SealerConnection): Promise<void> {
  await client.query("select pg_logical_emit_message(true, 'palisade', 'head')")
  assertConfirmed()
}

/** A closed set of words for a metric label: SQLSTATE, the driver's code, or that it is neither. */
export function sqlState(error: unknown): string {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && /^[A-Z0-9_]{5,20}$/.test(code) ? code : 'other'
}
