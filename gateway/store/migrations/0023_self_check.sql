-- run as: palisade_owner

-- Whether the records of some places still are what was sealed. The sealer, which may read no record, learns numbers.
-- Records that were taken away by a cut are not missing; whether the cut was one, palisade audit verify judges.
grant create on schema palisade to palisade_auditor;
set local role palisade_auditor;

create function palisade.broken_records(in_epoch integer, from_seq bigint, to_seq bigint)
  returns table (changed bigint, missing bigint, first bigint)
  language sql stable security definer rows 1
  -- A type of the caller's must not stand in for one of the system's: temporary ones come last.
  set search_path = pg_catalog, pg_temp
as $$
  select count(l.id), count(*) - count(l.id), min(s.seq)
  from palisade.audit_seals s
    left join palisade.secret_audit_logs l on l.id = s.record_id
  where s.epoch = in_epoch and s.seq between from_seq and to_seq
    and (l.id is null or sha256('\x00'::bytea || l.record) <> s.leaf)
    and not (l.id is null and exists (
      select from palisade.audit_cuts c where c.epoch = s.epoch and s.seq between c.first and c.last
    ))
$$;
revoke all on function palisade.broken_records from public;
grant execute on function palisade.broken_records to palisade_sealer;

set local role palisade_owner;
revoke create on schema palisade from palisade_auditor;
