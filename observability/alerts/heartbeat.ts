import type { Alert } from '../alert.ts'

/** Always firing: whoever receives alerts notices by its absence that none can arrive. */
export const HEARTBEAT: readonly Alert[] = [
  {
    name: 'DeadMansSwitch',
    expr: 'vector(1)',
    for: '0s',
    severity: 'none',
    summary: 'The path of alerts works.',
    description: 'Send this to a service that raises the alarm when it stops arriving.',
  },
]
