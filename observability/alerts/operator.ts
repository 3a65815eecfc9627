import type { Alert } from '../alert.ts'

export const OPERATOR: readonly Alert[] = [
  {
    name: 'OperatorDown',
    expr: 'absent(up{job="operator"} == 1)',
    for: '2m',
    severity: 'page',
    summary: 'No operator answers: nothing is rotated and no Secret is put back.',
    description:
      'Credentials stay valid and consumers go on. A rotation that was under way resumes where it stood.',
  },
  {
    name: 'OperatorNotLeading',
    expr: 'sum(leader_election_master_status{job="operator"}) < 1',
    for: '2m',
    severity: 'page',
    summary: 'Operators run and none leads: nothing is rotated and no Secret is put back.',
    description:
      'Each replica waits for the lease: it cannot be written, or a holder that is gone still keeps it.',
  },
]
