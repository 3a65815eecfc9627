-- run as: palisade_owner

-- What one person who may cut cannot decide alone: how long records are kept at least, and under which key the record
-- of a cut stands. Both were the word of whoever asked.

-- Days. A constant and no row: no grant reaches it, and who lowers it replaces it as the owner of the tables.
create function palisade.retention_floor() returns integer language sql stable
  set search_path = pg_catalog, pg_temp
as $$ select 366 $$;
revoke all on function palisade.retention_floor from public;
grant execute on function palisade.retention_floor to palisade_cutter;

create or replace function palisade.assert_cuttable(c palisade.audit_cuts, below_minimum boolean) returns void
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
declare
  sealed timestamptz;
begin
  select b.sealed_at into sealed from palisade.audit_batches b
    where b.epoch = c.epoch and b.last = c.last and b.root = c.root;
  if sealed is null then
    raise exception using errcode = 'PL021',
      message = format('no batch ends at %s/%s with this root', c.epoch, c.last);
  end if;
  if c.keep_days < palisade.retention_floor() then
    raise exception using errcode = 'PL022',
      message = format('keeping %s days is below the %s of palisade.retention_floor', c.keep_days,
        palisade.retention_floor());
  end if;
  if c.keep_days < 366 and not below_minimum then
    raise exception using errcode = 'PL022',
      message = format('keeping %s days is below the minimum of 366', c.keep_days);
  end if;
  if sealed >= now() - make_interval(days => c.keep_days) then
    raise exception using errcode = 'PL022',
      message = format('the records up to %s/%s were sealed at %s and are kept for %s days', c.epoch, c.last,
        to_char(sealed at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), c.keep_days);
  end if;
end
$$;

grant create on schema palisade to palisade_cutter;
set local role palisade_cutter;

create or replace function palisade.record_cut(
  a_id uuid, a_format smallint, a_writer text, a_key text, a_record bytea, a_mac bytea
) returns void language plpgsql volatile security definer
  -- A type of the caller's must not stand in for one of the system's: temporary ones come last.
  set search_path = pg_catalog, pg_temp
as $$
declare
  platform constant uuid = '00000000-0000-0000-0000-000000000001';
  said jsonb = convert_from(a_record, 'UTF8')::jsonb;
  details jsonb = said -> 'details';
  c palisade.audit_cuts;
  due bigint;
begin
  if (said ->> 'eventType', said ->> 'id', said ->> 'tenant', said ->> 'outcome', said ->> 'macKey', said ->> 'writer')
      is distinct from ('audit.cut', a_id::text, platform::text, 'success', a_key, a_writer)
    or said #>> '{actor,kind}' is distinct from 'administrator'
    or said #>> '{actor,id}' is distinct from session_user::text
  then
    raise exception using errcode = 'PL021', message = 'this is no record of a cut by whoever is logged in';
  end if;
  -- A key that nobody has makes a MAC that nobody can check.
  if not exists (select from palisade.secret_audit_logs l where l.mac_key_id = a_key) then
    raise exception using errcode = 'PL021', message = 'no record of the log is under the MAC key of this one';
  end if;
  insert into palisade.audit_cuts (record_id, epoch, first, last, root, archive, keep_days, requested_by)
    values (a_id, (details ->> 'epoch')::integer, (details ->> 'first')::bigint, (details ->> 'last')::bigint,
      decode(details ->> 'root', 'hex'), decode(details ->> 'archive', 'hex'), (details ->> 'keepDays')::integer,
      session_user)
    returning * into c;
  select coalesce(
      (select max(a.last) + 1 from palisade.audit_cuts a where a.epoch = c.epoch and a.record_id <> a_id),
      (select min(b.first) from palisade.audit_batches b where b.epoch = c.epoch)
    ) into due;
  if due is distinct from c.first then
    raise exception using errcode = 'PL021',
      message = format('the next cut of epoch %s begins with %s', c.epoch, due);
  end if;
  if exists (
    select from palisade.audit_cuts a left join palisade.audit_cut_progress p using (record_id)
    where a.epoch = c.epoch and a.record_id <> a_id and coalesce(p.next <= a.last, true)
  ) then
    raise exception using errcode = 'PL021', message = 'the cut before this one is not finished';
  end if;
  perform palisade.assert_cuttable(c, details ->> 'belowMinimum' is not distinct from '1');
  insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
    values (a_id, platform, a_format, a_writer, a_key, a_record, a_mac);
  insert into palisade.audit_pending (record_id, tenant_id, leaf)
    values (a_id, platform, sha256('\x00'::bytea || a_record));
end
$$;

set local role palisade_owner;
revoke create on schema palisade from palisade_cutter;
