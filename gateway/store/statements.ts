/**
 * Every statement that the gateway sends, each prepared once per connection under its name. The tests of row-level
 * security run this list, so a statement that is not here would go untested: nothing else may reach the pool.
 */
export const STATEMENTS = {
  findHead: 'select * from palisade.find_head($1, $2, $3, $4)',
  readSecret:
    'select * from palisade.read_secret($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)',
  writeSecret:
    'select * from palisade.write_secret($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)',
  changeHead:
    'select * from palisade.change_head($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)',
  listSecrets: 'select * from palisade.list_secrets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
  appendAudit: 'select palisade.append_audit($1, $2, $3, $4, $5, $6, $7, $8)',
  appendAudits: 'select palisade.append_audits($1, $2, $3, $4, $5, $6, $7, $8)',
  ingestAudit:
    'select * from palisade.ingest_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) order by place',
  areSealed: 'select palisade.are_sealed($1, $2) as sealed',
  countRefusals: 'select palisade.count_refusals($1, $2, $3, $4, $5, $6, $7, $8, $9)',
  unrecordedRefusals: 'select * from palisade.unrecorded_refusals($1, $2, $3, $4)',
  recordRefusals:
    'select palisade.record_refusals($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as recorded',
  unrecordedReadings: 'select * from palisade.unrecorded_readings($1)',
  recordReading: 'select palisade.record_reading($1, $2, $3, $4, $5, $6, $7) as recorded',
  auditVolume: 'select * from palisade.audit_volume()',
  searchAudit:
    'select * from palisade.search_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)',
  auditReach: 'select * from palisade.audit_reach($1, $2, $3)',
  ensureUser: 'select palisade.ensure_user($1, $2, $3) as token_version',
  findApiKey: 'select * from palisade_lookup.find_api_key($1)',
  findLogin: 'select * from palisade_lookup.find_login($1)',
  unfitRole: `select rolsuper, rolbypassrls, rolcreaterole, rolreplication,
      exists (
        select from pg_class c where c.relnamespace = 'palisade'::regnamespace and pg_has_role(r.oid, c.relowner, 'MEMBER')
      ) as owns_tables
    from pg_roles r where r.rolname in (current_user, session_user)`,
  schemaVersion: 'select max(name) as newest from palisade_meta.migrations',
} as const

export type StatementName = keyof typeof STATEMENTS
