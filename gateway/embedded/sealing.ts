import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import type { MacKey } from '#core/audit/record'
import { systemClock } from '#core/clock'
import { evidenceLog } from '../observe/log.ts'
import { fileSigner, fileSink } from '../sealer/file-checkpoints.ts'
import { SealerMetrics } from '../sealer/metrics.ts'
import { Sealer } from '../sealer/sealer.ts'
import { runSelfChecks } from '../sealer/self-checks.ts'
import type { StoreOptions } from '../store/connections.ts'

const LOG = 'palisade.dev/audit/embedded'

/** The sealer as a part of this process, with its own login. Key and checkpoint are files beside the database. */
export async function startSealing(
  database: StoreOptions,
  directory: string,
  log: FastifyBaseLogger,
  macKey: MacKey,
) {
  const audit = join(directory, 'audit')
  const metrics = new SealerMetrics()
  const parts = {
    database: async () => database,
    signers: [await fileSigner(join(audit, 'checkpoint-key.pem'), LOG)],
    metrics,
    logger: log,
    clock: systemClock,
  }
  const sealer = new Sealer({
    ...parts,
    log: LOG,
    sinks: [fileSink(join(audit, 'checkpoint'))],
    records: { clock: systemClock, macKey: async () => macKey },
    evidence: evidenceLog(log),
  })
  const abort = new AbortController()
  const ended = Promise.all([sealer.run(abort.signal), runSelfChecks(parts, abort.signal)])
  return {
    registry: metrics.registry,
    ready: () => sealer.ready(),
    stop: async () => {
      abort.abort()
      await ended
    },
  }
}
