import { join } from 'node:path'
import { parseArgs } from 'node:util'

const DEFAULTS = {
  rounds: '5',
  seconds: '3',
  records: '1000000',
  verifications: '5',
  'pair-rounds': '8',
  'pair-seconds': '20',
  'pair-records': '200000',
} as const
type Count = keyof typeof DEFAULTS
const COUNTS = Object.keys(DEFAULTS) as Count[]

export interface Options {
  readonly counts: Readonly<Record<Count, number>>
  readonly only: 'added-latency' | undefined
  readonly out: string
  readonly anyLoad: boolean
}

/** @throws Error a message for whoever typed the command */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...(Object.fromEntries(
        COUNTS.map((name) => [name, { type: 'string', default: DEFAULTS[name] }]),
      ) as Record<Count, { type: 'string'; default: string }>),
      only: { type: 'string' },
      out: { type: 'string', default: join(import.meta.dirname, '../results') },
      'any-load': { type: 'boolean', default: false },
    },
  })
  if (COUNTS.some((name) => !/^[1-9][0-9]{0,8}$/.test(values[name]))) {
    throw new Error(`--${COUNTS.join(', --')} are whole numbers from 1 on`)
  }
  const { only, out, 'any-load': anyLoad } = values
  if (only !== undefined && only !== 'added-latency') {
    throw new Error('--only knows added-latency: the rest of the results stays as it is')
  }
  const counts = Object.fromEntries(COUNTS.map((name) => [name, Number(values[name])]))
  return { counts: counts as Options['counts'], only, out, anyLoad }
}
