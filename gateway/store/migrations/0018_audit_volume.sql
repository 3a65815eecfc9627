-- run as: palisade_owner

-- What of the database's volume is taken, as the server sees it: the tablespace of this database with everything in it
-- (other databases and temporary files, too) and the write-ahead log. Where bootstrap.sql could not allow the owner to
-- list that, its configured bound stands for it: rather too much than too little. No argument and no row of anybody
-- goes into it, so no caller can make the answer another one but by storing something.
create function palisade.audit_volume() returns table (data_bytes bigint, wal_bytes bigint, wal_is_listed boolean)
  language plpgsql stable security definer
  set search_path = pg_catalog
as $$
begin
  select pg_tablespace_size(dattablespace) into data_bytes from pg_database where datname = current_database();
  wal_is_listed := has_function_privilege('pg_ls_waldir()', 'execute');
  if wal_is_listed then
    select coalesce(sum(size), 0)::bigint into wal_bytes from pg_ls_waldir();
  else
    select max(pg_size_bytes(setting || unit)) into wal_bytes
      from pg_settings where name in ('max_wal_size', 'wal_keep_size');
  end if;
  return next;
end
$$;

revoke all on function palisade.audit_volume from public;
grant execute on function palisade.audit_volume to palisade_app;
