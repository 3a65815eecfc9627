import pg from 'pg'
import { parseVerifier, verifierText, type NoteVerifier } from '#core/audit/note'
import type { Clock } from '#core/clock'
import { redact } from '#core/redact'
import type { SealerMetrics } from './metrics.ts'
import type { CheckpointSigner, SealerLog } from './ports.ts'
import { Rest } from './rest.ts'
import { compareHeads } from './secret-heads.ts'
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
 * Verifies the log again and again beside the sealing, and secrets by it, on a connection of its own, the first time at
 * the start. What it finds raises an alert and stops nothing: a flaw in old records is no reason to leave new ones
 * unsealed.
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
  const { database, logger } = deps
  try {
    const verifiers = await verifiersOf(deps)
    const client = new pg.Client({
      application_name: 'palisade-sealer-check',
      connectionTimeoutMillis: 5_000,
      query_timeout: 60_000,
      ...(await database()),
    })
    client.on('error', () => undefined)
    await client.connect()
    try {
      await verifyOnce(deps, client, verifiers, signal)
      return await compareOnce(deps, client, signal)
    } finally {
      await client.end().catch(() => undefined)
    }
  } catch (error) {
    if (!signal.aborted) logger.warn({ error: redact(error) }, 'Could not verify the audit log')
    return false
  }
}

async function verifyOnce(
  { metrics, logger, clock }: SelfChecksDeps,
  client: pg.ClientBase,
  verifiers: readonly NoteVerifier[],
  signal: AbortSignal,
): Promise<void> {
  const begun = performance.now()
  const { findings, ...counts } = await selfCheck(client, verifiers, signal)
  metrics.lastVerification.set(clock.now().getTime() / 1000)
  metrics.lastVerificationFindings.set(findings.length)
  metrics.lastVerificationRecords.set(counts.records)
  const keys = { ...counts, seconds: secondsSince(begun) }
  if (findings.length === 0) logger.info(keys, 'Verified the audit log')
  else logger.error({ ...keys, findings }, 'The audit log does not hold')
}

/** Behind the verification of the log that it goes by. */
async function compareOnce(
  { metrics, logger, clock }: SelfChecksDeps,
  client: pg.ClientBase,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const begun = performance.now()
    const { secrets, count, findings } = await compareHeads(client, signal)
    metrics.lastHeadComparison.set(clock.now().getTime() / 1000)
    metrics.headFindings.set(count)
    metrics.headsCompared.set(secrets)
    const keys = { secrets, seconds: secondsSince(begun) }
    if (count === 0) logger.info(keys, 'Compared secrets with the audit log')
    else logger.error({ ...keys, count, findings }, 'Secrets differ from the audit log')
    return true
  } catch (error) {
    const keys = { error: redact(error) }
    if (!signal.aborted) logger.warn(keys, 'Could not compare secrets with the audit log')
    return false
  }
}

const secondsSince = (begun: number) => Number(((performance.now() - begun) / 1000).toFixed(1))

async function verifiersOf({ signers, readSigners }: SelfChecksDeps): Promise<NoteVerifier[]> {
  const keys = readSigners ? await readSigners() : signers
  return keys.flatMap((signer) =>
    [signer, ...(signer.earlier ?? [])].map(({ name, publicKey }) =>
      parseVerifier(verifierText(name, publicKey)),
    ),
  )
}
