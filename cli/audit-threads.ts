import { Worker } from 'node:worker_threads'
import type { LineEvidence } from '#core/audit/checked-log'
import type { CheckedBlock } from '#core/audit/read-block'

/** What a block leaves behind is garbage at once: more room for it makes a verification larger and no faster. */
const LIMITS = { maxYoungGenerationSizeMb: 16 }

/** Threads that each check one block after another; they start when there is work for them. */
export class BlockThreads {
  readonly #evidence: LineEvidence
  readonly #limit: number
  readonly #all: Worker[] = []
  readonly #idle: Worker[] = []
  #wake: () => void = () => undefined
  #failure: Error | undefined

  constructor(evidence: LineEvidence, limit: number) {
    this.#evidence = evidence
    this.#limit = limit
  }

  /**
   * Waits until a thread has taken the block, and not for its answer, so that no more is read ahead than is worked on.
   * @param bytes belong to the thread afterwards
   */
  async check(bytes: Uint8Array<ArrayBuffer>): Promise<{ readonly answer: Promise<CheckedBlock> }> {
    const worker = await this.#free()
    const answer = new Promise<CheckedBlock>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('message', (block: CheckedBlock) => {
        worker.off('error', reject)
        this.#idle.push(worker)
        this.#wake()
        resolve(block)
      })
    })
    answer.catch((error: Error) => {
      this.#failure = error // a thread that ended takes no block any more
      this.#wake()
    })
    worker.postMessage(bytes, [bytes.buffer])
    return { answer }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((worker) => worker.terminate()))
  }

  async #free(): Promise<Worker> {
    if (this.#failure) throw this.#failure
    const worker = this.#idle.pop()
    if (worker) return worker
    if (this.#all.length < this.#limit) {
      const file = new URL('./audit-thread.ts', import.meta.url)
      const started = new Worker(file, { workerData: this.#evidence, resourceLimits: LIMITS })
      this.#all.push(started)
      return started
    }
    await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#free()
  }
}
