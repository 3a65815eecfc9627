import type { Clock } from '#core/clock'
import type { CheckpointSigner, SealerLog } from './ports.ts'

export interface CurrentSignersDeps {
  readonly signers: readonly CheckpointSigner[]
  /** Asked at each connection and each minute: a key may have a newer version since. */
  readonly readSigners?: () => Promise<readonly CheckpointSigner[]>
  readonly logger: SealerLog
  readonly clock: Clock
}

/** The keys that sign now. */
export class CurrentSigners {
  readonly #deps: CurrentSignersDeps
  readonly #everyMs: number
  #signers: readonly CheckpointSigner[]
  #lastLook = 0

  constructor(deps: CurrentSignersDeps, everyMs: number) {
    this.#deps = deps
    this.#everyMs = everyMs
    this.#signers = deps.signers
  }

  get all(): readonly CheckpointSigner[] {
    return this.#signers
  }

  /** Without an answer the key at hand goes on: Vault keeps its earlier versions. */
  async look(): Promise<void> {
    const now = this.#deps.clock.now().getTime()
    if (!this.#deps.readSigners || now - this.#lastLook < this.#everyMs) return
    this.#lastLook = now
    try {
      this.#signers = await this.#deps.readSigners()
    } catch {
      this.#deps.logger.warn({}, 'Could not look for a newer key of checkpoints')
    }
  }

  /** Whenever the last look was. */
  lookNow(): Promise<void> {
    this.#lastLook = 0
    return this.look()
  }
}
