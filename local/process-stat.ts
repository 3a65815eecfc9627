import { readFile } from 'node:fs/promises'

/** From the state on: the name before it stands in brackets and may hold spaces and brackets itself, proc_pid_stat(5). */
const fieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

/** A process that was killed answers signals, and keeps its pid, until somebody has collected its status. */
export const hasEnded = (stat: string): boolean => ['Z', 'X'].includes(fieldsOf(stat)[0] ?? '')

/** Clock ticks from the boot of the machine to the start of the process; empty for one that has ended. */
export const startTicksOf = (stat: string): string =>
  hasEnded(stat) ? '' : (fieldsOf(stat)[19] ?? '')

/** The same of a process that may be gone: then it is empty as well. */
export const startTicks = (pid: number): Promise<string> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(startTicksOf, () => '')
