-- run as: palisade_owner

-- Records that stand for themselves and wait at the same moment, of whatever callers, in one commit: each is written as
-- if it had come alone, under its own tenant, and all of them or none.
create function palisade.append_audits(
  tenants uuid[], subjects text[],
  a_id uuid[], a_format smallint[], a_writer text[], a_key text[], a_record bytea[], a_mac bytea[]
) returns void language plpgsql volatile
  set search_path = pg_catalog
as $$
declare
  one record;
begin
  for one in
    select * from unnest(tenants, subjects, a_id, a_format, a_writer, a_key, a_record, a_mac)
      as w (tenant, subject, id, format, writer, key, record, mac)
  loop
    perform palisade.append_audit(
      one.tenant, one.subject, one.id, one.format, one.writer, one.key, one.record, one.mac
    );
  end loop;
end
$$;

revoke all on function palisade.append_audits from public;
grant execute on function palisade.append_audits to palisade_app;
