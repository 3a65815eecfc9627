import type pg from 'pg'
import type { Clock } from '#core/clock'
import { sqlState } from './connection.ts'
import type { SealerMetrics } from './metrics.ts'
import type { SealerLog } from './ports.ts'
import { purge } from './purge.ts'
import { readRetention } from './retention.ts'

export interface HousekeepingDeps {
  readonly metrics: SealerMetrics
  readonly logger: SealerLog
  readonly clock: Clock
}

/** Takes away rows whose day is over, and tells what retention has left. */
export class Housekeeping {
  readonly #deps: HousekeepingDeps
  readonly #everyMs: number
  #last = 0

  constructor(deps: HousekeepingDeps, everyMs: number) {
    this.#deps = deps
    this.#everyMs = everyMs
  }

  /** Sealing comes first: rows that cannot be taken away are no reason to leave records unsealed. */
  async doDue(client: pg.ClientBase): Promise<void> {
    const now = this.#deps.clock.now().getTime()
    if (now - this.#last < this.#everyMs) return
    const { metrics, logger } = this.#deps
    this.#last = now
    try {
      const { idempotencyKeys, refusalCounters, isMore } = await purge(client)
      metrics.purged.inc({ table: 'idempotency_keys' }, idempotencyKeys)
      metrics.purged.inc({ table: 'audit_counters' }, refusalCounters)
      if (isMore) this.#last = 0
      metrics.showRetention(await readRetention(client))
    } catch (error) {
      metrics.purgeFailures.inc()
      logger.warn({ reason: sqlState(error) }, 'Could not take old rows away; trying again')
    }
  }
}
