-- run as: palisade_owner

-- Every record passes through this table and leaves it within a second: by the usual rule (a fifth of the table)
-- it would be vacuumed too late, and the sealer would read mostly dead rows.
alter table palisade.audit_pending set (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 20000
);
