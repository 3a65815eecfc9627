/** Lets one message per subject pass in a while; the first of each waits for its turn as well. */
export class Throttle {
  readonly #everyMs: number
  readonly #last = new Map<string, number>()

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  allows(subject: string, now: number): boolean {
    const last = this.#last.get(subject)
    if (last === undefined) {
      this.#last.set(subject, now)
      return false
    }
    if (now - last < this.#everyMs) return false
    this.#last.set(subject, now)
    return true
  }
}
