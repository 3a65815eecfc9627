import { PalisadeError } from '#core/problem'

/** A record that stands for itself: no change is in its transaction. */
interface Waiting<Entry> {
  readonly entry: Entry
  readonly since: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Commits at the same time: enough that one is on its way while another syncs, few enough that the others gather. */
const RUNNING = 4
const BATCH = 64
/** As long as the pool lets a statement wait for a connection. */
const PATIENCE_MS = 5_000

/**
 * Records that arrive while others are being committed wait for their turn and are then committed together, so that
 * a sync, a round trip and a transaction are shared by as many as there are. Nothing waits for company: a record that
 * finds a free place goes at once. Each is acknowledged after its own commit.
 */
export class RecordBatches<Entry> {
  readonly #commit: (entries: readonly Entry[]) => Promise<unknown>
  readonly #now: () => number
  readonly #waiting: Waiting<Entry>[] = []
  #running = 0

  /**
   * @param commit writes all of them durably or none
   * @param now milliseconds from any moment on
   */
  constructor(
    commit: (entries: readonly Entry[]) => Promise<unknown>,
    now = () => performance.now(),
  ) {
    this.#commit = commit
    this.#now = now
  }

  append(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, since: this.#now(), resolve, reject })
      this.#next()
    })
  }

  #next(): void {
    if (this.#running >= RUNNING) return
    this.#giveUp()
    if (this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, BATCH)
    this.#running += 1
    void this.#run(batch).finally(() => {
      this.#running -= 1
      this.#next()
    })
  }

  /** A database that does not come back must not make a queue that outlives its callers. They were not sent. */
  #giveUp(): void {
    const oldest = this.#now() - PATIENCE_MS
    const late = this.#waiting.findIndex(({ since }) => since >= oldest)
    const waiting = this.#waiting.splice(0, late < 0 ? this.#waiting.length : late)
    for (const { reject } of waiting) {
      reject(new PalisadeError('ERR_DATABASE_UNAVAILABLE', 'the database did not get to a record'))
    }
  }

  async #run(batch: readonly Waiting<Entry>[]): Promise<void> {
    try {
      await this.#commit(batch.map(({ entry }) => entry))
      for (const { resolve } of batch) resolve()
    } catch (error) {
      if (batch.length > 1 && isOfOneRecord(error)) {
        // Rolled back because of one of them, which nobody else's record may pay for.
        for (const one of batch) await this.#run([one])
      } else for (const { reject } of batch) reject(error)
    }
  }
}

/** Whatever the database refused for a record's own sake; what concerns the database itself concerns all of them. */
function isOfOneRecord(error: unknown): boolean {
  return !(error instanceof PalisadeError) || error.code === 'ERR_VALIDATION'
}
