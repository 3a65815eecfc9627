import { createHash } from 'node:crypto'

export interface BuildInputs {
  readonly goMod: string
  readonly goSum: string
  /** The folder's own main.go, where the main function does not come from a module. */
  readonly main?: string
  readonly ldflags: string
  readonly package: string
  /** `go env GOVERSION`, since another compiler makes another program. */
  readonly goVersion: string
}

/** Everything that decides the bytes of the program; two equal digests are one cache entry. */
export function digestOf(inputs: BuildInputs): string {
  const hash = createHash('sha256')
  // Lengths in front keep "ab"+"c" apart from "a"+"bc".
  for (const [name, value] of Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}:${String(value).length}:${String(value)}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
