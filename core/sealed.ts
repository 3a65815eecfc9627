import { inspect } from 'node:util'

const MARK = '[sealed]'

/**
 * A secret on its way through the program. Printing, serialising, comparing or concatenating it shows
 * `[sealed]`; `reveal()` is the one way out, so a search for it lists every place that handles plain text.
 */
export class Sealed<T> {
  readonly #value: T

  private constructor(value: T) {
    this.#value = value
  }

  static of<T>(value: T): Sealed<T> {
    return new Sealed(value)
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return MARK
  }

  toJSON(): string {
    return MARK
  }

  [Symbol.toPrimitive](): string {
    return MARK
  }

  [inspect.custom](): string {
    return MARK
  }
}
