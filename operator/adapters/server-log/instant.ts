/** Nanoseconds since the epoch of an RFC 3339 time as the kubelet writes it; undefined for anything else. */
export function instantOf(text: string): bigint | undefined {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text)
  const [, whole = '', fraction = '', zone = ''] = found ?? []
  const seconds = Date.parse(`${whole}${zone}`)
  if (!found || Number.isNaN(seconds)) return undefined
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

export const instantOfDate = (at: Date): bigint => BigInt(at.getTime()) * 1_000_000n

/** Rounded down to the second, which is all that the API server hands on. */
export const secondOf = (instant: bigint): string =>
  new Date(Number(instant / 1_000_000_000n) * 1_000).toISOString().replace('.000Z', 'Z')
