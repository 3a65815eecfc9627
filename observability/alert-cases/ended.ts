import type { AlertCase } from './alert-case.ts'

/** The last sample is of 1m, and nothing marks the end of the series. */
const ENDED = '1x4 _x20'

/**
 * What was measured last when the node or Prometheus stopped, and is not measured any more: a minute later it no
 * longer counts, so that each of these fires within that minute and its own wait.
 */
export const ENDED_CASES: Readonly<Record<string, AlertCase['fires']>> = {
  GatewayDown: {
    series: { 'up{job="gateway",pod="a"}': ENDED },
    at: '3m',
    summary: 'No gateway answers: every request fails.',
  },
  OperatorDown: {
    series: { 'up{job="operator",pod="a"}': ENDED },
    at: '4m',
    summary: 'No operator answers: nothing is rotated and no Secret is put back.',
  },
  OperatorNotLeading: {
    series: {
      'leader_election_master_status{job="operator",pod="a"}': ENDED,
      'leader_election_master_status{job="operator",pod="b"}': '_x4 0x20',
    },
    at: '4m',
    summary: 'Operators run and none leads: nothing is rotated and no Secret is put back.',
  },
  DatabaseDown: {
    series: { 'cnpg_collector_up{job="database",pod="palisade-db-1"}': ENDED },
    at: '3m',
    summary: 'No instance of the database answers.',
  },
  SecretStoreDown: {
    series: {
      'palisade_check_ok{job="gateway",check="keys",pod="a"}': ENDED,
      'palisade_check_ok{job="gateway",check="keys",pod="b"}': '_x4 0x20',
    },
    at: '3m',
    summary: 'No gateway reaches the secret store.',
  },
  AuditSealLag: {
    series: { 'palisade_audit_seal_lag_seconds{job="sealer"}': ENDED },
    at: '4m',
    summary: 'Audit records wait unsealed.',
  },
}
