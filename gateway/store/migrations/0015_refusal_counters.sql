-- run as: palisade_owner

-- Refusals are counted here each second and become one record a minute. A process that was killed loses the second
-- that it had in memory; its minutes stay without a record until another process gives them one.
alter table palisade.audit_counters
  add column kind text not null default 'unauthenticated' check (kind in ('unauthenticated', 'surplus')),
  add column record_id uuid;
create index audit_counters_unrecorded on palisade.audit_counters (minute) where record_id is null;
grant update (record_id) on palisade.audit_counters to palisade_app;

-- What the record of a minute sums up is kept a day for whoever has to look closer.
create policy purge on palisade.audit_counters to palisade_sealer
  using (record_id is not null and minute < now() - interval '24 hours');
create policy purge_only on palisade.audit_counters as restrictive to palisade_sealer
  using (record_id is not null and minute < now() - interval '24 hours');
grant select (minute, reason, route, source_digest, writer, record_id), delete on palisade.audit_counters
  to palisade_sealer;

-- Counts are the writer's total of that minute and not what was added, so that a call whose answer was lost may be
-- repeated. A writer names one life of one process: nobody else touches its rows.
create function palisade.count_refusals(
  c_writer text, c_kinds text[], c_minutes timestamptz[], c_reasons text[], c_routes text[], c_sources bytea[],
  c_counts bigint[], c_firsts timestamptz[], c_lasts timestamptz[]
) returns void language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter('00000000-0000-0000-0000-000000000001', 'anonymous');
  insert into palisade.audit_counters
      (writer, kind, minute, reason, route, source_digest, refusals, first_seen, last_seen)
    select c_writer, n.*
      from unnest(c_kinds, c_minutes, c_reasons, c_routes, c_sources, c_counts, c_firsts, c_lasts) as n
    on conflict (minute, reason, route, source_digest, writer)
      do update set refusals = excluded.refusals, last_seen = excluded.last_seen;
end
$$;

create function palisade.unrecorded_refusals(
  own_writer text, own_before timestamptz, others_before timestamptz, page_size integer
) returns table (
  writer text, minute timestamptz, kind text, total bigint, kinds bigint, sources bigint,
  first_seen timestamptz, last_seen timestamptz, most_reason text, most_route text, most_count bigint
) language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter('00000000-0000-0000-0000-000000000001', 'anonymous');
  return query
    select c.writer, c.minute, c.kind, sum(c.refusals)::bigint, count(*), count(distinct c.source_digest),
      min(c.first_seen), max(c.last_seen),
      (array_agg(c.reason order by c.refusals desc))[1], (array_agg(c.route order by c.refusals desc))[1],
      max(c.refusals)
    from palisade.audit_counters c
    where c.record_id is null
      and ((c.writer = own_writer and c.minute < own_before) or c.minute < others_before)
    group by 1, 2, 3
    order by 2
    limit page_size;
end
$$;

-- False when the sum is another one by now, or somebody else was faster: nothing is recorded then.
create function palisade.record_refusals(
  c_writer text, c_minute timestamptz, c_kind text, expected bigint,
  a_id uuid, a_format smallint, a_writer text, a_key text, a_record bytea, a_mac bytea
) returns boolean language plpgsql volatile
  set search_path = pg_catalog
as $$
declare
  found_total bigint;
begin
  perform palisade.enter('00000000-0000-0000-0000-000000000001', 'anonymous');
  select sum(mine.refusals) into found_total from (
    select c.refusals from palisade.audit_counters c
    where c.writer = c_writer and c.minute = c_minute and c.kind = c_kind and c.record_id is null
    for update
  ) as mine;
  if found_total is distinct from expected then
    return false;
  end if;
  update palisade.audit_counters c set record_id = a_id
    where c.writer = c_writer and c.minute = c_minute and c.kind = c_kind and c.record_id is null;
  perform palisade.add_record(
    '00000000-0000-0000-0000-000000000001', row(a_id, a_format, a_writer, a_key, a_record, a_mac)
  );
  return true;
end
$$;

revoke all on function palisade.count_refusals, palisade.unrecorded_refusals, palisade.record_refusals from public;
grant execute on function palisade.count_refusals, palisade.unrecorded_refusals, palisade.record_refusals
  to palisade_app;
