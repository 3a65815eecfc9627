import type pg from 'pg'
import { rememberedGap, sayBehind, saySealing, type Gap } from './audit-state.ts'
import { openEpoch } from './open-epoch.ts'
import type { OwnRecords } from './own-records.ts'
import type { CheckpointSigner, CheckpointSink, SealerLog } from './ports.ts'

export interface RecoveryDeps {
  readonly log: string
  readonly records?: OwnRecords
  readonly logger: SealerLog
  readonly evidence?: Pick<SealerLog, 'info'>
}

/** What happens on one connection while the log is behind: everybody is told, and two people may end it. */
export class Recovery {
  readonly #client: pg.Client
  readonly #deps: RecoveryDeps
  readonly #signers: readonly CheckpointSigner[]

  constructor(client: pg.Client, deps: RecoveryDeps, signers: readonly CheckpointSigner[]) {
    this.#client = client
    this.#deps = deps
    this.#signers = signers
  }

  async remembered(): Promise<readonly Pick<CheckpointSink, 'name' | 'newest'>[]> {
    const note = await rememberedGap(this.#client)
    return note === undefined ? [] : [{ name: 'audit_state', newest: async () => note }]
  }

  /**
   * @param isKnown whether every place outside has told what it remembers; until then nothing is given up
   * @returns whether the next epoch is open now
   */
  async open(gap: Gap, isKnown: boolean): Promise<boolean> {
    await sayBehind(this.#client, gap)
    if (!isKnown) return false
    const { log, records, logger, evidence } = this.#deps
    const opened = await openEpoch(this.#client, gap.outside, {
      log,
      records,
      signers: this.#signers,
    })
    if (!opened) return false
    const { epoch, lost, record, leaf } = opened
    evidence?.info({ audit: record, leaf }, 'Committed audit record')
    logger.warn({ epoch, lost }, 'Opened the next epoch of the log, as two people decided')
    return true
  }

  done(): Promise<void> {
    return saySealing(this.#client)
  }
}
