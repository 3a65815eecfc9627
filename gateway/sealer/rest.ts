import { setTimeout as pause } from 'node:timers/promises'

/** The time between two rounds of something. A person may cut it short. */
export class Rest {
  #cut = new AbortController()

  /** Ends the rest of now; where a round goes on at this moment, the one behind it follows at once. */
  cutShort(): void {
    this.#cut.abort()
  }

  /** Over after so many ms, when it is cut short, or when all of it is to end. */
  async last(ms: number, signal: AbortSignal): Promise<void> {
    const ends = AbortSignal.any([signal, this.#cut.signal])
    await pause(ms, undefined, { signal: ends }).catch(() => undefined)
    this.#cut = new AbortController()
  }
}
