import type { StackConfig } from './schema.ts'

export interface ConfigProblem {
  readonly field: string
  readonly cause: string
  readonly remedy: string
}

/** One reason for which a stack cannot be planned; empty when it has none. */
export type Rule = (config: StackConfig) => readonly ConfigProblem[]

/** A network of every address, however the zero is written. */
export const isEverywhere = (cidr: string): boolean => /\/0+$/.test(cidr)
