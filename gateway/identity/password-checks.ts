import { PalisadeError } from '#core/problem'
import { verifyPassword } from './password-hash.ts'

export interface PasswordChecksOptions {
  /** At once; each takes 19 MiB and one of libuv's four threads, which files and names need as well. */
  readonly concurrent?: number
  /** That may wait for their turn; at 30 ms each the last one waits for a quarter of a second. */
  readonly waiting?: number
  readonly verify?: (password: string, phc: string) => Promise<boolean>
  readonly onRefused?: () => void
}

/** Checks of passwords, so many at once and no more: a flood of logins must cost neither the memory nor the threads. */
export class PasswordChecks {
  readonly #concurrent: number
  readonly #capacity: number
  readonly #verify: (password: string, phc: string) => Promise<boolean>
  readonly #onRefused: () => void
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: PasswordChecksOptions = {}) {
    this.#concurrent = options.concurrent ?? 2
    this.#capacity = options.waiting ?? 16
    this.#verify = options.verify ?? verifyPassword
    this.#onRefused = options.onRefused ?? (() => undefined)
  }

  async verify(password: string, phc: string): Promise<boolean> {
    await this.#enter()
    try {
      return await this.#verify(password, phc)
    } finally {
      this.#leave()
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#concurrent) {
      this.#running += 1
      return
    }
    if (this.#waiting.length >= this.#capacity) {
      this.#onRefused()
      throw new PalisadeError('ERR_UNAVAILABLE', 'too many passwords are being checked')
    }
    // The place of the one who leaves is handed over, so nobody slips in between.
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#running -= 1
  }
}
