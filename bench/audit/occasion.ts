import { type Machine, QUIET_LOAD } from '../quiet.ts'

/** When, where and by what command something was measured. */
export interface Occasion {
  readonly at: string
  readonly command: string
  readonly machine: Machine
  readonly load: { readonly before: number; readonly after: number }
}

/** What else the machine did is part of every number. */
export const isTrial = ({ load }: Pick<Occasion, 'load'>): boolean => load.before > QUIET_LOAD
