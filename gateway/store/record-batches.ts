import { PalisadeError } from '#core/problem'

/** A record that stands for itself: no change is in its transaction. */
interface Waiting<Entry> {
  readonly entry: Entry
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Commits at the same time: enough that one is on its way while another syncs, few enough that the others gather. */
const RUNNING = 4
const BATCH = 64

/**
 * Records that arrive while others are being committed wait for their turn and are then committed together, so that
 * a sync, a round trip and a transaction are shared by as many as there are. Nothing waits for company: a record that
 * finds a free place goes at once. Each is acknowledged after its own commit.
 */
export class RecordBatches<Entry> {
  readonly #commit: (entries: readonly Entry[]) => Promise<unknown>
  readonly #waiting: Waiting<Entry>[] = []
  #running = 0

  /** @param commit writes all of them durably or none */
  constructor(commit: (entries: readonly Entry[]) => Promise<unknown>) {
    this.#commit = commit
  }

  append(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject })
      this.#next()
    })
  }

  #next(): void {
    if (this.#running >= RUNNING || this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, BATCH)
    this.#running += 1
    void this.#run(batch).finally(() => {
      this.#running -= 1
      this.#next()
    })
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
