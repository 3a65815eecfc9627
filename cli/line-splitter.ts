/** Bytes or characters, far more than any line of ours has: a bound for what a stranger's file makes us hold. */
export const LONGEST_LINE = 64 * 1024 * 1024

/** Lines of UTF-8 as its bytes come. What is held is one line, however long a file says that it is. */
export class LineSplitter {
  readonly #longest: number
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #begun: string[] = []
  #length = 0

  constructor(longest = LONGEST_LINE) {
    this.#longest = longest
  }

  /**
   * @returns the lines that end in these bytes, without their newlines
   * @throws TypeError for what is no UTF-8
   * @throws SyntaxError for a line that is too long
   */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = []
    const [first = '', ...more] = this.#decoder.decode(bytes, { stream: true }).split('\n')
    this.#hold(first)
    for (const text of more) {
      lines.push(this.#take())
      this.#hold(text)
    }
    return lines
  }

  /** @returns what stands behind the last newline */
  end(): string {
    this.#hold(this.#decoder.decode())
    return this.#take()
  }

  #hold(text: string): void {
    this.#length += text.length
    if (this.#length > this.#longest) {
      throw new SyntaxError('a line is longer than any exporter writes')
    }
    this.#begun.push(text)
  }

  #take(): string {
    const line = this.#begun.join('')
    this.#begun = []
    this.#length = 0
    return line
  }
}
