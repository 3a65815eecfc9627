-- run as: palisade_owner

-- A row of enterprise_secrets that was put back to what it once was carries a MAC that holds: only the log knows that it
-- is an old one. The sealer, which may read neither records nor secrets, is given the state of each secret as the log
-- has it and as its row has it, and compares. No name, no value, no record.
create policy heads on palisade.enterprise_secrets for select to palisade_lookup using (true);
grant select (id, current_version, deleted, updated_at) on palisade.enterprise_secrets to palisade_lookup;
create policy heads on palisade.audit_pending for select to palisade_lookup using (true);
grant select on palisade.audit_pending to palisade_lookup;

grant create on schema palisade to palisade_lookup;
set local role palisade_lookup;

-- The change of a secret that a record tells of: {write | delete | restore, id, version}; null for any other record. In
-- RFC 8785 bytes members are sorted and no string of a record holds a quotation mark, so each piece has one place. A
-- pattern without an anchor would try every place, and a setting of its own would cost each record: callers have one.
create function palisade_lookup.secret_change(record bytea) returns text[] language plpgsql immutable parallel safe
as $$
declare
  place integer := position('"eventType":"secret.'::bytea in record);
  word text;
  subject text[];
begin
  if place = 0 then
    return null;
  end if;
  word := split_part(encode(substring(record from place + 20 for 8), 'escape'), '"', 1);
  if word not in ('write', 'delete', 'restore') or position('"outcome":"success"'::bytea in record) = 0 then
    return null;
  end if;
  place := position('"subject":{"id":"'::bytea in record);
  subject := regexp_match(
    encode(substring(record from place + 17 for 80), 'escape'),
    '^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})","kind":"secret","version":([1-9][0-9]{0,8})\}'
  );
  return case when place > 0 and subject is not null then word || subject end;
end
$$;
revoke all on function palisade_lookup.secret_change from public;

-- The last change of each secret among the next 5,000 places behind the first one, up to the second, and in a row without
-- a secret the place that was reached; no row when there is none. A record that is not what was sealed tells nothing.
-- Each record is looked up by its key, whatever the planner thinks of a range that it cannot see.
create function palisade.sealed_secret_changes(after_epoch integer, after_seq bigint, to_epoch integer, to_seq bigint)
  returns table (secret uuid, version integer, deleted boolean, epoch integer, seq bigint)
  language sql stable security definer
  -- A type of the caller's must not stand in for one of the system's: temporary ones come last.
  set search_path = pg_catalog, pg_temp
as $$
  with places as materialized (
    select s.epoch, s.seq, s.record_id, s.leaf
    from palisade.audit_seals s
    where (s.epoch, s.seq) > (after_epoch, after_seq) and (s.epoch, s.seq) <= (to_epoch, to_seq)
    order by s.epoch, s.seq
    limit 5000
  ), told as materialized (
    select p.epoch, p.seq, p.leaf, l.record, palisade_lookup.secret_change(l.record) as change
    from places p
      cross join lateral (
        select r.record from palisade.secret_audit_logs r where r.id = p.record_id offset 0
      ) l
  )
  (
    select distinct on (change[2]) change[2]::uuid, change[3]::integer, change[1] = 'delete', t.epoch, t.seq
    from told t
    where change is not null and sha256('\x00'::bytea || record) = leaf
    order by change[2], t.epoch desc, t.seq desc
  )
  union all
  (select null, null, null, p.epoch, p.seq from places p order by p.epoch desc, p.seq desc limit 1)
$$;

-- The next rows by id, and beside each the last change that was committed with its record and waits for the sealer: a
-- row is ahead of the log by that and by nothing else. All of it in one picture, that of the statement.
create function palisade.secret_heads(after uuid, page integer)
  returns table (
    secret uuid, version integer, deleted boolean, updated_at timestamptz,
    waiting_version integer, waiting_deleted boolean
  )
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  with waiting as materialized (
    select distinct on (change[2])
      change[2]::uuid as secret, change[3]::integer as version, change[1] = 'delete' as deleted
    from (
      select p.record_id, p.since, p.leaf, l.record, palisade_lookup.secret_change(l.record) as change
      from palisade.audit_pending p
        cross join lateral (
          select r.record from palisade.secret_audit_logs r where r.id = p.record_id offset 0
        ) l
      offset 0
    ) told
    where change is not null and sha256('\x00'::bytea || record) = leaf
    order by change[2], since desc, record_id desc
  )
  select h.id, h.current_version, h.deleted, h.updated_at, w.version, w.deleted
  from (
    select s.id, s.current_version, s.deleted, s.updated_at
    from palisade.enterprise_secrets s
    where s.id > after
    order by s.id
    limit least(greatest(page, 1), 5000)
  ) h
    left join waiting w on w.secret = h.id
  order by h.id
$$;

revoke all on function palisade.sealed_secret_changes, palisade.secret_heads from public;
grant execute on function palisade.sealed_secret_changes, palisade.secret_heads to palisade_sealer;

set local role palisade_owner;
revoke create on schema palisade from palisade_lookup;
