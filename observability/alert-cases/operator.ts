import type { AlertCase } from './alert-case.ts'

const ERRORS =
  'controller_runtime_reconcile_errors_total{job="operator",controller="secretrotation"}'

export const OPERATOR_CASES: Readonly<Record<string, AlertCase>> = {
  OperatorDown: {
    fires: {
      series: { 'up{job="operator"}': '1x4 0x20' },
      at: '5m',
      summary: 'No operator answers: nothing is rotated and no Secret is put back.',
    },
    silent: {
      // A replica that is replaced within a minute.
      series: { 'up{job="operator"}': '1x4 0x3 1x20' },
      at: '4m',
    },
  },
  OperatorNotLeading: {
    fires: {
      series: {
        'leader_election_master_status{job="operator",pod="a"}': '1x4 0x20',
        'leader_election_master_status{job="operator",pod="b"}': '0x24',
      },
      at: '5m',
      summary: 'Operators run and none leads: nothing is rotated and no Secret is put back.',
    },
    silent: {
      series: {
        'leader_election_master_status{job="operator",pod="a"}': '1x4 0x20',
        'leader_election_master_status{job="operator",pod="b"}': '0x6 1x18',
      },
      at: '5m',
    },
  },
  ReconcileErrors: {
    fires: {
      // One object, tried again ever more rarely: every seven minutes in the end.
      series: { [ERRORS]: '0 1 1 2 2x3 3x8 4x15 5x28 6x28 7x28 8x28' },
      at: '30m',
      labels: { controller: 'secretrotation' },
      summary: 'The operator fails again and again at an object of secretrotation.',
    },
    silent: { series: { [ERRORS]: '0 1 2 3 4 5x200' }, at: '45m' },
  },
}
