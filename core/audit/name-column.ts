/** A column of names of which few are different: a number for each row, and each name once. */
export interface NameBlock {
  readonly numbers: Uint32Array
  readonly names: readonly string[]
}

export function packNames(rows: readonly string[]): NameBlock {
  const known = new Map<string, number>()
  const numbers = Uint32Array.from(rows, (name) => numberOf(known, name))
  return { numbers, names: [...known.keys()] }
}

function numberOf(known: Map<string, number>, name: string): number {
  const number = known.get(name) ?? known.size
  known.set(name, number)
  return number
}

export class NameColumn {
  readonly #numbers: Uint32Array
  readonly #names: readonly string[]

  constructor(blocks: readonly NameBlock[]) {
    this.#numbers = new Uint32Array(blocks.reduce((sum, { numbers }) => sum + numbers.length, 0))
    const known = new Map<string, number>()
    let row = 0
    for (const { numbers, names } of blocks) {
      const own = names.map((name) => numberOf(known, name))
      for (const number of numbers) this.#numbers[row++] = own[number] ?? 0
    }
    this.#names = [...known.keys()]
  }

  at(row: number): string {
    return this.#names[this.#numbers[row] ?? 0] ?? ''
  }
}
