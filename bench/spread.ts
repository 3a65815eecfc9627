export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
  return { median, lowest: sorted[0] ?? NaN, highest: sorted.at(-1) ?? NaN }
}

/** `<median> (<lowest> to <highest>)` */
export const spreadText = (numbers: readonly number[], text: (n: number) => string): string => {
  const { median, lowest, highest } = spreadOf(numbers)
  return `${text(median)} (${text(lowest)} to ${text(highest)})`
}
