-- run as: palisade_owner

-- A note names where its reader came from, so it opens the log to the session that made it and to no other one of the
-- same login. What was noted before this opens nothing any more.
alter table palisade.audit_readings add column pid integer not null default pg_backend_pid();

-- Each record of a reading looks for the notes that may go.
create index audit_readings_recorded on palisade.audit_readings (open_until) where record_id is not null;

create or replace function palisade.note_reading(
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
  -- Each becomes a record: one statement must neither fill the log nor keep everybody else's notes waiting.
  if (select count(*) from palisade.audit_readings r where r.record_id is null and r.login = session_user) >= 1000 then
    raise exception using
      errcode = 'PL052',
      message = 'a thousand readings of this login wait for their record',
      hint = 'a gateway records fifty a second; note a reading once for a session and hour';
  end if;
  insert into palisade.audit_readings (login, address, purpose, format, after, before)
    values (session_user, inet_client_addr(), r_purpose, r_format, r_after, r_before)
    returning id into note;
  perform set_config('palisade.reading', note::text, false);
  return note;
end
$$;

create or replace function palisade.reading() returns palisade.audit_readings language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  note palisade.audit_readings;
begin
  select * into note from palisade.audit_readings r
    where r.id = nullif(current_setting('palisade.reading', true), '')::uuid
      and r.login = session_user
      and r.pid = pg_backend_pid()
      -- One picture of the log that was begun in time is read to its end: a large one takes longer than an hour.
      and case when current_setting('transaction_isolation') in ('repeatable read', 'serializable')
          then transaction_timestamp() else statement_timestamp() end < r.open_until
      and pg_xact_status(r.xact) = 'committed';
  if note.id is null then
    raise exception using
      errcode = 'PL050',
      message = 'no reading of the audit log was noted and committed by this session in the last hour',
      hint = 'select palisade.note_reading(''query''), in a transaction of its own';
  end if;
  return note;
end
$$;
