-- run as: palisade_fence

-- Retention: records leave the log only after their archive, covered by a record that is sealed itself. Hashes, seals
-- and batches stay, so every proof stays possible. Nothing here runs by itself.

-- A new server has the roles from bootstrap.sql; one that ran before gets them here.
do $$
begin
  if not exists (select from pg_roles where rolname = 'palisade_cutter') then
    create role palisade_cutter nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'palisade_retention') then
    create role palisade_retention nologin;
  end if;
  if not pg_has_role('palisade_migrator', 'palisade_cutter', 'SET') then
    grant palisade_cutter to palisade_migrator with set true, inherit false;
  end if;
  if not pg_has_role('palisade_retention', 'palisade_auditor', 'SET') then
    grant palisade_auditor to palisade_retention with set true, inherit false;
  end if;
  -- In a database that somebody else made, its owner grants this.
  if has_database_privilege(current_database(), 'CONNECT WITH GRANT OPTION') then
    execute format('grant connect on database %I to palisade_retention', current_database());
  end if;
end
$$;

set local role palisade_owner;

-- One row for each cut that was decided. It repeats what the sealed record says, so that SQL can look it up.
create table palisade.audit_cuts (
  record_id uuid primary key,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000001',
  epoch integer not null,
  first bigint not null check (first >= 1),
  last bigint not null check (last >= first),
  root bytea not null check (octet_length(root) = 32),
  -- SHA-256 of the archive.
  archive bytea not null check (octet_length(archive) = 32),
  keep_days integer not null check (keep_days >= 0),
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  -- Of two people who cut the same range one fails.
  unique (epoch, first)
);
create trigger only_grows before update or delete or truncate on palisade.audit_cuts
  for each statement execute function palisade.refuse_audit_change();
alter table palisade.audit_cuts enable always trigger only_grows;

-- How far a cut has come, so that one that was killed goes on where it was.
create table palisade.audit_cut_progress (
  record_id uuid primary key references palisade.audit_cuts,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000001',
  next bigint not null,
  taken bigint not null default 0 check (taken >= 0)
);
call palisade.guard_by_tenant('audit_cuts', 'audit_cut_progress');

grant usage on schema palisade to palisade_cutter, palisade_retention;
grant select, insert on palisade.audit_cuts to palisade_cutter;
grant select, insert, update (next, taken) on palisade.audit_cut_progress to palisade_cutter;
grant select, insert, delete on palisade.secret_audit_logs to palisade_cutter;
grant insert on palisade.audit_pending to palisade_cutter;
grant select on palisade.audit_seals to palisade_cutter;
grant select (epoch, first, last, root, sealed_at) on palisade.audit_batches to palisade_cutter;
grant select on palisade.audit_cuts, palisade.audit_cut_progress to palisade_auditor, palisade_sealer;
create policy cutter on palisade.audit_cuts to palisade_cutter using (true)
  with check (tenant_id = '00000000-0000-0000-0000-000000000001');
create policy cutter on palisade.audit_cut_progress to palisade_cutter using (true)
  with check (tenant_id = '00000000-0000-0000-0000-000000000001');
create policy cutter on palisade.secret_audit_logs to palisade_cutter using (true)
  with check (tenant_id = '00000000-0000-0000-0000-000000000001');
create policy cutter on palisade.audit_pending for insert to palisade_cutter
  with check (tenant_id = '00000000-0000-0000-0000-000000000001');
create policy cutter on palisade.audit_seals for select to palisade_cutter using (true);
create policy cutter on palisade.audit_batches for select to palisade_cutter using (true);
create policy reader on palisade.audit_cuts for select to palisade_auditor, palisade_sealer using (true);
create policy reader on palisade.audit_cut_progress for select to palisade_auditor, palisade_sealer using (true);

-- What the log says about itself stays for ever: without it nobody could tell a cut from a theft.
create function palisade.stays(record bytea) returns boolean language sql immutable
  set search_path = pg_catalog, pg_temp
as $$
  select position('"eventType":"audit.cut"'::bytea in record) > 0
    or position('"eventType":"audit.epoch-opened"'::bytea in record) > 0
    or position('"eventType":"audit.key-rotated"'::bytea in record) > 0
$$;

-- Refuses a range that does not end with a batch, has another root, or is too young. The youngest of its records was
-- sealed last, by the clock of the database.
create function palisade.assert_cuttable(c palisade.audit_cuts, below_minimum boolean) returns void
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

-- The cut under this id, if the record of it is in the log, sealed behind what it cuts, and says the same.
create function palisade.sealed_cut(cut_id uuid) returns palisade.audit_cuts language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
declare
  c palisade.audit_cuts;
  place palisade.audit_seals;
  said jsonb;
begin
  select * into c from palisade.audit_cuts a where a.record_id = cut_id;
  select s.* into place
    from palisade.secret_audit_logs l
    join palisade.audit_seals s on s.record_id = l.id and s.leaf = sha256('\x00'::bytea || l.record)
    join palisade.audit_batches b on b.epoch = s.epoch and s.seq between b.first and b.last
    where l.id = cut_id;
  if c.record_id is null or place.record_id is null or (place.epoch, place.seq) <= (c.epoch, c.last) then
    raise exception using errcode = 'PL021', message = 'there is no sealed record of this cut';
  end if;
  select convert_from(l.record, 'UTF8')::jsonb into said from palisade.secret_audit_logs l where l.id = cut_id;
  if said ->> 'eventType' is distinct from 'audit.cut' or said ->> 'id' is distinct from cut_id::text
    or not coalesce(said -> 'details' @> jsonb_build_object('epoch', c.epoch, 'first', c.first, 'last', c.last,
      'root', encode(c.root, 'hex'), 'archive', encode(c.archive, 'hex'), 'keepDays', c.keep_days), false)
  then
    raise exception using errcode = 'PL021', message = 'the sealed record of this cut says something else';
  end if;
  perform palisade.assert_cuttable(c, said #>> '{details,belowMinimum}' is not distinct from '1');
  return c;
end
$$;

-- One path through, and only for the records: whoever else deletes is refused before a row is touched.
create or replace function palisade.refuse_audit_change() returns trigger language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' and tg_table_name = 'secret_audit_logs' and current_user = 'palisade_cutter' then
    return null;
  end if;
  raise exception using
    errcode = 'PL020',
    message = format('%s of palisade.%s is refused: audit tables only grow', tg_op, tg_table_name);
end
$$;

-- And on that path each row is held against the sealed record of its cut, whatever statement took it away.
create function palisade.refuse_uncovered_cut() returns trigger language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  cuts uuid[];
begin
  select array_agg(distinct c.record_id) into cuts
    from gone g
    join palisade.audit_seals s on s.record_id = g.id
    join palisade.audit_cuts c on c.epoch = s.epoch and s.seq between c.first and c.last;
  if exists (
    select from gone g
      left join palisade.audit_seals s on s.record_id = g.id and s.leaf = sha256('\x00'::bytea || g.record)
      left join palisade.audit_cuts c on c.epoch = s.epoch and s.seq between c.first and c.last
      where c.record_id is null or palisade.stays(g.record)
  ) then
    raise exception using errcode = 'PL020',
      message = 'DELETE of palisade.secret_audit_logs is refused: a record is not covered by a cut';
  end if;
  perform palisade.sealed_cut(cut_id) from unnest(cuts) as cut_id;
  return null;
end
$$;
create trigger only_what_was_cut after delete on palisade.secret_audit_logs
  referencing old table as gone
  for each statement execute function palisade.refuse_uncovered_cut();
alter table palisade.secret_audit_logs enable always trigger only_what_was_cut;

revoke all on function palisade.stays, palisade.assert_cuttable, palisade.sealed_cut, palisade.refuse_uncovered_cut
  from public;
-- The first for the policy of every tenant, the next three for the indexes of the records.
grant execute on function palisade.caller_tenant, palisade.audit_actor, palisade.audit_subject, palisade.audit_request,
  palisade.stays, palisade.assert_cuttable, palisade.sealed_cut to palisade_cutter;
grant create on schema palisade to palisade_cutter;

set local role palisade_cutter;

-- Writes the record of a cut, and nothing goes yet: the sealer has to seal it first. The name in it is that of the
-- login, which nobody but a superuser can choose.
create function palisade.record_cut(
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

-- Takes away the records of the next places, 5,000 at most, so that no call holds locks for long. Called until it is
-- finished; a second caller waits for the first and goes on behind it.
create function palisade.cut_audit(cut_id uuid, page integer) returns table (taken bigint, finished boolean)
  language plpgsql volatile security definer
  -- A type of the caller's must not stand in for one of the system's: temporary ones come last.
  set search_path = pg_catalog, pg_temp
as $$
declare
  c constant palisade.audit_cuts = palisade.sealed_cut(cut_id);
  place bigint;
  upto bigint;
  gone bigint;
begin
  insert into palisade.audit_cut_progress (record_id, next) values (cut_id, c.first) on conflict do nothing;
  select p.next into place from palisade.audit_cut_progress p where p.record_id = cut_id for update;
  upto := least(c.last, place - 1 + least(greatest(page, 1), 5000));
  delete from palisade.secret_audit_logs l using palisade.audit_seals s
    where s.epoch = c.epoch and s.seq between place and upto and l.id = s.record_id and not palisade.stays(l.record);
  get diagnostics gone = row_count;
  return query update palisade.audit_cut_progress p set next = upto + 1, taken = p.taken + gone
    where p.record_id = cut_id returning p.taken, p.next > c.last;
end
$$;

revoke all on function palisade.record_cut, palisade.cut_audit from public;
grant execute on function palisade.record_cut, palisade.cut_audit to palisade_retention;

set local role palisade_owner;
revoke create on schema palisade from palisade_cutter;
