-- run as: palisade_owner

-- Routes that answer after the seal alone ask whether each of their records has its place in the log.
create function palisade.are_sealed(tenant uuid, records uuid[]) returns boolean language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter(tenant, 'seals');
  return (
    select count(*) from palisade.audit_seals s where s.tenant_id = tenant and s.record_id = any (records)
  ) = cardinality(records);
end
$$;

revoke all on function palisade.are_sealed from public;
grant execute on function palisade.are_sealed to palisade_app;
