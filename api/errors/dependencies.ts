import { entry } from './entry.ts'

/** What the gateway stands on: it refuses rather than guess. */
export const DEPENDENCY_ERRORS = {
  ERR_DATABASE_UNAVAILABLE: entry(
    503,
    'The database cannot be reached',
    'see that Postgres is up and that its credentials are current',
  ),
  ERR_KEYS_UNAVAILABLE: entry(
    503,
    'The key store cannot be reached or is sealed',
    'unseal OpenBao and check the network policy towards it',
  ),
  ERR_AUDIT_STORAGE_FULL: entry(
    503,
    'The audit volume is almost full',
    'grow the volume of the database, see docs/runbooks/AuditStorageFull.md; it opens by itself',
  ),
  ERR_AUDIT_BEHIND_CHECKPOINT: entry(
    503,
    'The audit log is behind its newest checkpoint',
    'restore a copy that is not older than the checkpoint, or let two people give up what is lost: docs/runbooks/AuditChainBroken.md',
  ),
  ERR_AUDIT_NOT_SEALED: entry(
    503,
    'It was done and recorded, and its record is not sealed yet',
    'do not repeat it without the same Idempotency-Key; see docs/runbooks/AuditSealLag.md',
  ),
  ERR_AUDIT_UNCONFIRMED: entry(
    503,
    'No place outside of the database confirms the audit log',
    'see docs/runbooks/AuditCheckpointMissing.md: make one of the places answer',
  ),
  ERR_OBJECT_STORE_REFUSED: entry(
    502,
    'The object store refused a checkpoint',
    'see docs/runbooks/AuditCheckpointMissing.md: compare the rights of its credential and its bucket',
  ),
  ERR_CALLER_UNRECOGNISABLE: entry(
    503,
    'The caller cannot be recognised now',
    'see that the API server answers and lets the gateway review tokens; try again',
  ),
  ERR_OUTCOME_UNKNOWN: entry(
    503,
    'It is not known whether the change was committed',
    'repeat with the same Idempotency-Key: it answers without a second effect',
  ),
  ERR_SECRET_ROLLED_BACK: entry(
    503,
    'The stored secret is older than its head record says',
    'do not use it; the database may have been restored or edited, see docs/runbooks',
  ),
  ERR_SECRET_UNREADABLE: entry(
    503,
    'The stored secret does not authenticate',
    'the row or its key was changed outside Palisade; restore it from a backup',
  ),
} as const
