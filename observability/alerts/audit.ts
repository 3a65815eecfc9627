import type { Alert } from '../alert.ts'

export const AUDIT: readonly Alert[] = [
  {
    name: 'AuditSealLag',
    // A sealer that is gone measures nothing: its silence counts as lag.
    expr: 'max(palisade_audit_seal_lag_seconds{job="sealer"}) > 10 or absent(palisade_audit_seal_lag_seconds{job="sealer"})',
    for: '2m',
    severity: 'page',
    summary: 'Audit records wait unsealed.',
    description:
      'Until it is sealed, whoever owns the database could change or remove a record unseen by the checkpoints.',
  },
  {
    name: 'AuditChainBroken',
    expr: 'max(palisade_audit_halted{job="sealer"}) > 0',
    for: '0s',
    severity: 'page',
    summary: 'The audit log does not fit the checkpoints kept outside of the database.',
    description:
      'Somebody changed the log, or an old copy of the database was restored. The sealer appends nothing until a person has looked.',
  },
]
