import { WitnessReader } from '../../cli/witness-lines.ts'
import type { WitnessLine } from '../../core/audit/expectations.ts'

/** The witness lines of one log. */
export function witnessLines(log: string): WitnessLine[] {
  const reader = new WitnessReader()
  return log
    .split('\n')
    .map((text) => reader.line(text))
    .filter((line) => line !== undefined)
}
