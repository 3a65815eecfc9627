/** Numbers from 0 to 1 that a seed fixes: a linear congruential generator with the constants of Numerical Recipes. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Where a process dies, and where its heir does if it comes by. */
export interface Deaths {
  readonly place: string
  readonly heir?: string
}

const HEIRS_THAT_DIE_TOO = 0.25

/** So many victims. Every place comes once before any comes again, in an order of chance. */
export function planOf(
  places: readonly string[],
  victims: number,
  seed: number,
): readonly Deaths[] {
  const random = numbersFrom(seed)
  const plan: Deaths[] = []
  while (plan.length < victims) {
    for (const place of shuffled(places, random)) {
      const heir = places[Math.floor(random() * places.length)]
      plan.push(heir !== undefined && random() < HEIRS_THAT_DIE_TOO ? { place, heir } : { place })
    }
  }
  return plan.slice(0, victims)
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const left = [...items]
  const taken: T[] = []
  while (left.length > 0) taken.push(...left.splice(Math.floor(random() * left.length), 1))
  return taken
}
