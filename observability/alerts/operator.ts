import type { Alert } from '../alert.ts'
import { fresh } from '../fresh.ts'

const ERRORS = 'controller_runtime_reconcile_errors_total{job="operator"}'

export const OPERATOR: readonly Alert[] = [
  {
    name: 'OperatorDown',
    expr: `absent(${fresh('up{job="operator"}')} == 1)`,
    for: '2m',
    severity: 'page',
    summary: 'No operator answers: nothing is rotated and no Secret is put back.',
    description:
      'Credentials stay valid and consumers go on. A rotation that was under way resumes where it stood.',
  },
  {
    name: 'OperatorNotLeading',
    expr: `sum(${fresh('leader_election_master_status{job="operator"}')}) < 1`,
    for: '2m',
    severity: 'page',
    summary: 'Operators run and none leads: nothing is rotated and no Secret is put back.',
    description:
      'Each replica waits for the lease: it cannot be written, or a holder that is gone still keeps it.',
  },
  {
    name: 'ReconcileErrors',
    // A pass is tried again every seven minutes at the latest, so four within an hour that goes on.
    expr: `sum by (controller) (increase(${ERRORS}[1h])) > 3 and sum by (controller) (increase(${ERRORS}[15m])) > 0`,
    for: '15m',
    severity: 'ticket',
    summary: 'The operator fails again and again at an object of {{ $labels.controller }}.',
    description:
      'The object does not move. An error that nobody foresaw shows here alone, since no condition has a word for it.',
  },
]
