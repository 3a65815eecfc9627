import { createHash, randomBytes } from 'node:crypto'

export interface Seeded {
  readonly seed: string
  /** A number of [from, to), the same for the same seed and place in the row of draws. */
  between(from: number, to: number): number
  /** One of these. */
  oneOf<T>(items: readonly [T, ...T[]]): T
}

/** Chance that can be repeated: the seed is printed, and the variable brings it back. */
export function seeded(variable: string): Seeded {
  const seed = process.env[variable] ?? randomBytes(4).toString('hex')
  console.log(`${variable}=${seed} repeats this run`)
  return chanceOf(seed)
}

export function chanceOf(seed: string): Seeded {
  let draws = 0
  const draw = () => {
    const digest = createHash('sha256')
      .update(`${seed}/${(draws += 1)}`)
      .digest()
    return digest.readUInt32BE(0) / 2 ** 32
  }
  return {
    seed,
    between: (from, to) => from + draw() * (to - from),
    oneOf: (items) => items[Math.floor(draw() * items.length)] ?? items[0],
  }
}
