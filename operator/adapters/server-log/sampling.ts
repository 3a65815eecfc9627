import { instantOf } from './instant.ts'

/** As many within a second are let through whole. */
const MOST_RECORDS = 100
const SECOND = 1_000_000_000n

/**
 * The instance manager of CloudNativePG gives every record of the server the same message, and its logger (zap as
 * controller-runtime sets it up) lets the first hundred entries of one message through and then each hundredth, until
 * a second has passed. At the levels debug and trace, and only there, nothing is left out.
 *
 * What was left out leaves no trace but the hundred before it, and those leave one whether or not any followed.
 */
export class Sampling {
  /** Of the last records, a ring. */
  readonly #written: bigint[] = []
  #next = 0
  #isOff = false

  /** A level that is written is one at which nothing is left out, from the process's beginning to its end. */
  get isOff(): boolean {
    return this.#isOff
  }

  /** The end of the second in which records may be missing after this line; undefined where they cannot be. */
  lossAfter(line: string, at: bigint): bigint | undefined {
    if (!line.startsWith('{')) return undefined
    if (line.startsWith('{"level":"debug"') || line.startsWith('{"level":"trace"'))
      this.#isOff = true
    if (this.#isOff) return undefined
    // By the writer's own time, which it counts by: the kubelet may get later what was written at once.
    const time = instantOf(/"ts":"([^"]{1,40})"/.exec(line.slice(0, 120))?.[1] ?? '') ?? at
    const first = this.#written[this.#next]
    this.#written[this.#next] = time
    this.#next = (this.#next + 1) % (MOST_RECORDS - 1)
    return first !== undefined && time - first < SECOND ? at + SECOND : undefined
  }
}
