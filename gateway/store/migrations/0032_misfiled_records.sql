-- run as: palisade_owner

-- The tenant that a record lies under, and the one it is numbered in, are columns beside its bytes: neither hash nor
-- MAC covers them, and by them a tenant's records are found and shown to be complete. The bytes name it as well. In
-- RFC 8785 bytes members are sorted and no string of a record holds a quotation mark, so the name has one place.
grant create on schema palisade to palisade_lookup;
set local role palisade_lookup;

-- It answers one number more, and that takes another function.
drop function palisade.broken_records(integer, bigint, bigint);
create function palisade.broken_records(in_epoch integer, from_seq bigint, to_seq bigint)
  returns table (changed bigint, missing bigint, misfiled bigint, first bigint)
  language sql stable security definer rows 1
  -- A type of the caller's must not stand in for one of the system's: temporary ones come last.
  set search_path = pg_catalog, pg_temp
as $$
  select count(*) filter (where b.is_there and not b.is_same), count(*) filter (where not b.is_there),
    count(*) filter (where b.is_there and b.is_same), min(b.seq)
  from (
    select s.seq, l.id is not null as is_there, sha256('\x00'::bytea || l.record) = s.leaf as is_same,
      l.tenant_id = s.tenant_id
        and position(convert_to(format(',"tenant":"%s","time":"', s.tenant_id), 'UTF8') in l.record) > 0 as is_filed
    from palisade.audit_seals s
      left join palisade.secret_audit_logs l on l.id = s.record_id
    where s.epoch = in_epoch and s.seq between from_seq and to_seq
      and not (l.id is null and exists (
        select from palisade.audit_cuts c where c.epoch = s.epoch and s.seq between c.first and c.last
      ))
  ) b
  where not (b.is_there and b.is_same and b.is_filed)
$$;
revoke all on function palisade.broken_records from public;
grant execute on function palisade.broken_records to palisade_sealer;

set local role palisade_owner;
revoke create on schema palisade from palisade_lookup;
