import pg from 'pg'
import { parseVerifier, verifierText } from '#core/audit/note'
import type { Clock } from '#core/clock'
import { redact } from '#core/redact'
import type { SealerMetrics } from './metrics.ts'
import type { CheckpointSigner, SealerLog } from './ports.ts'
import { Rest } from './rest.ts'
import { selfCheck } from './self-check.ts'

export interface SelfChecksDeps {
  readonly database: () => Promise<pg.ClientConfig>
  readonly signers: readonly CheckpointSigner[]
  /** Asked before each check: a key may have a newer version since. */
  readonly readSigners?: () => Promise<readonly CheckpointSigner[]>
  readonly metrics: SealerMetrics
  readonly logger: SealerLog
  readonly clock: Clock
  /** From the end of one to the begin of the next; after a failure a tenth of it, a minute at most. */
  readonly everyMs?: number
  /** Cut short by whoever does not want to wait for the next one. */
  readonly rest?: Rest
}

const SIX_HOURS = 6 * 3_600_000
const MINUTE = 60_000

/**
 * Verifies the log again and again beside the sealing, on a connection of its own, the first time at the start. What it
 * finds raises an alert and stops nothing: a flaw in old records is no reason to leave new ones unsealed.
 */
export async function runSelfChecks(deps: SelfChecksDeps, signal: AbortSignal): Promise<void> {
  const { everyMs = SIX_HOURS, rest = new Rest() } = deps
  while (!signal.aborted) {
    const isDone = await checkOnce(deps, signal)
    const wait = isDone ? everyMs : Math.min(everyMs / 10, MINUTE)
    await rest.last(wait, signal)
  }
}

async function checkOnce(deps: SelfChecksDeps, signal: AbortSignal): Promise<boolean> {
  const { metrics, logger, clock } = deps
  try {
    const begun = performance.now()
    const { findings, ...counts } = await check(deps, signal)
    const took = (performance.now() - begun) / 1000
    metrics.lastVerification.set(clock.now().getTime() / 1000)
    metrics.lastVerificationFindings.set(findings.length)
    metrics.lastVerificationRecords.set(counts.records)
    const keys = { ...counts, seconds: Number(took.toFixed(1)) }
    if (findings.length === 0) logger.info(keys, 'Verified the audit log')
    else logger.error({ ...keys, findings }, 'The audit log does not hold')
    return true
  } catch (error) {
    if (!signal.aborted) logger.warn({ error: redact(error) }, 'Could not verify the audit log')
    return false
  }
}

async function check({ database, signers, readSigners }: SelfChecksDeps, signal: AbortSignal) {
  const keys = readSigners ? await readSigners() : signers
  const verifiers = keys.flatMap((signer) =>
    [signer, ...(signer.earlier ?? [])].map(({ name, publicKey }) =>
      parseVerifier(verifierText(name, publicKey)),
    ),
  )
  const client = new pg.Client({
    application_name: 'palisade-sealer-check',
    connectionTimeoutMillis: 5_000,
    query_timeout: 60_000,
    ...(await database()),
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await selfCheck(client, verifiers, signal)
  } finally {
    await client.end().catch(() => undefined)
  }
}
