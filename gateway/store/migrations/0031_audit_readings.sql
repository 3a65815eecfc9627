-- run as: palisade_owner

-- Whoever reads the log straight from the database is recorded, as whoever reads it through the gateway is. A record
-- needs a key that must not be here, so a reading is noted first: nothing of the log is shown to a login whose note is
-- not committed, and a gateway makes the record of it. Until then the note waits here, whatever crashes.
create table palisade.audit_readings (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000001',
  login text not null,
  -- Taken away when the record holds it as ciphertext. null as well: over the server's own socket.
  address inet,
  purpose text not null check (purpose in ('export', 'archive', 'cut', 'verify', 'query')),
  format text check (format in ('jsonl', 'ocsf', 'cef')),
  -- Ids of the records that may be read, both excluded; null: no bound.
  after uuid,
  before uuid,
  noted_at timestamptz not null default clock_timestamp(),
  open_until timestamptz not null default clock_timestamp() + interval '1 hour',
  -- Of the note: a row that its own transaction sees is not committed yet, and may be rolled back after the reading.
  xact xid8 not null default pg_current_xact_id(),
  record_id uuid
);
create index audit_readings_unrecorded on palisade.audit_readings (noted_at) where record_id is null;
call palisade.guard_by_tenant('audit_readings');
-- Nobody has a grant on it: the functions below are the only way.
create policy notes on palisade.audit_readings to palisade_owner using (true) with check (true);

-- Notes what this session is going to read, in a transaction of its own. The name is that of the login, which nobody but
-- a superuser can choose, whatever role is acted as.
create function palisade.note_reading(
  r_purpose text, r_format text default null, r_after uuid default null, r_before uuid default null
) returns uuid language plpgsql volatile security definer
  -- A type of the caller's must not stand in for one of the system's: temporary ones come last.
  set search_path = pg_catalog, pg_temp
as $$
declare
  note uuid;
begin
  -- It is written into the record as it is.
  if session_user !~ '^[A-Za-z0-9_.-]{1,63}$' then
    raise exception using
      errcode = 'PL051',
      message = 'this login may not read the audit log: its name is not a word of letters, digits, "_", "." and "-"';
  end if;
  insert into palisade.audit_readings (login, address, purpose, format, after, before)
    values (session_user, inet_client_addr(), r_purpose, r_format, r_after, r_before)
    returning id into note;
  perform set_config('palisade.reading', note::text, false);
  return note;
end
$$;

-- The note under which this session reads. Without one it is an error and no empty answer, which a verifier could not
-- tell from an empty log.
create function palisade.reading() returns palisade.audit_readings language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  note palisade.audit_readings;
begin
  select * into note from palisade.audit_readings r
    where r.id = nullif(current_setting('palisade.reading', true), '')::uuid
      and r.login = session_user
      and statement_timestamp() < r.open_until
      and pg_xact_status(r.xact) = 'committed';
  if note.id is null then
    raise exception using
      errcode = 'PL050',
      message = 'no reading of the audit log was noted and committed by this login in the last hour',
      hint = 'select palisade.note_reading(''query''), in a transaction of its own';
  end if;
  return note;
end
$$;

-- Restrictive: the policy of every tenant admits whoever names one, and would show an auditor that tenant's rows. Each
-- (select ...) is asked once for a query and not for a row.
create policy noted on palisade.secret_audit_logs as restrictive for select to palisade_auditor using (
  coalesce(id > (select (palisade.reading()).after), true) and coalesce(id < (select (palisade.reading()).before), true)
);
create policy noted on palisade.audit_pending as restrictive for select to palisade_auditor
  using ((select (palisade.reading()).id) is not null);
create policy noted on palisade.audit_seals as restrictive for select to palisade_auditor
  using ((select (palisade.reading()).id) is not null);
create policy noted on palisade.audit_batches as restrictive for select to palisade_auditor
  using ((select (palisade.reading()).id) is not null);
create policy noted on palisade.audit_counters as restrictive for select to palisade_auditor
  using ((select (palisade.reading()).id) is not null);

create function palisade.unrecorded_readings(page_size integer) returns table (
  id uuid, login text, address text, purpose text, format text, after uuid, before uuid,
  noted_at timestamptz, open_until timestamptz
) language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select r.id, r.login, host(r.address), r.purpose, r.format, r.after, r.before, r.noted_at, r.open_until
  from palisade.audit_readings r
  where r.record_id is null
  order by r.noted_at
  limit page_size
$$;

-- False when somebody else was faster: nothing is recorded then.
create function palisade.record_reading(
  note uuid, a_id uuid, a_format smallint, a_writer text, a_key text, a_record bytea, a_mac bytea
) returns boolean language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  update palisade.audit_readings r set record_id = a_id, address = null where r.id = note and r.record_id is null;
  if not found then
    return false;
  end if;
  perform palisade.append_audit(
    '00000000-0000-0000-0000-000000000001', 'readings', a_id, a_format, a_writer, a_key, a_record, a_mac
  );
  -- What the log says itself by now, and what opens nothing any more.
  delete from palisade.audit_readings r where r.record_id is not null and r.open_until < now() - interval '1 day';
  return true;
end
$$;

revoke all on function palisade.note_reading, palisade.reading, palisade.unrecorded_readings, palisade.record_reading
  from public;
grant execute on function palisade.note_reading, palisade.reading to palisade_auditor;
grant execute on function palisade.unrecorded_readings, palisade.record_reading to palisade_app;

-- The sealer's check of the records, which answers with numbers, ran as palisade_auditor and would need a note. Nothing
-- else of it changes.
drop function palisade.broken_records;
grant create on schema palisade to palisade_lookup;
set local role palisade_lookup;

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
revoke create on schema palisade from palisade_lookup;
