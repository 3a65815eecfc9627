-- run as: palisade_lookup

-- Records of one tenant, or of all where wanted is null; who may ask is decided by palisade.search_audit, the only one
-- that may call this. One index leads to the candidates, of which at most s_scan are looked at; the last row is the
-- candidate where that ended, so that the next call goes on behind it. s_after and s_before are excluded.
create function palisade_lookup.find_audit_records(
  wanted uuid, s_actor text, s_subject text, s_request text, s_types text[], s_outcomes text[],
  s_after uuid, s_before uuid, s_oldest_first boolean, s_page integer, s_scan integer
) returns table (
  id uuid, tenant_id uuid, record bytea, epoch integer, seq bigint, tenant_seq bigint
) language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  direction text := case when s_oldest_first then 'asc' else 'desc' end;
  between_ids text := 'l.id > $1 and l.id < $2';
  -- What the index has not settled is looked at record by record; where it settles all, a page is enough.
  is_settled boolean := s_types is null and s_outcomes is null and num_nonnulls(s_actor, s_subject, s_request) <= 1;
  source text;
begin
  -- Texts are put together from the constants of this function alone; every value is a parameter.
  source := 'select l.id, l.tenant_id, l.record from palisade.secret_audit_logs l where ' || case
    when s_request is not null
      then 'palisade.audit_request(l.record) = $6 and ($3 is null or l.tenant_id = $3) and ' || between_ids
    when s_subject is not null
      then 'l.tenant_id = t.tenant_id and palisade.audit_subject(l.record) = $5 and ' || between_ids
    when s_actor is not null
      then 'l.tenant_id = t.tenant_id and palisade.audit_actor(l.record) = $4 and ' || between_ids
    when wanted is not null then 'l.tenant_id = $3 and ' || between_ids
    else between_ids
  end || format(' order by l.id %s limit $9', direction);
  if s_request is null and (s_subject is not null or s_actor is not null) then
    -- From tenant to tenant along the index: one look for each, however many records there are.
    source := format(
      'select f.* from (
         with recursive t (tenant_id) as (
           select coalesce($3, (select l.tenant_id from palisade.secret_audit_logs l order by l.tenant_id limit 1))
           union all
           select (select l.tenant_id from palisade.secret_audit_logs l where l.tenant_id > t.tenant_id
             order by l.tenant_id limit 1) from t where t.tenant_id is not null and $3 is null
         ) select t.tenant_id from t where t.tenant_id is not null
       ) t cross join lateral (%s) f order by f.id %s limit $9',
      source, direction
    );
  end if;
  return query execute format(
    'with candidates as materialized (
       select c.id, (
         %3$s or (
           ($4 is null or palisade.audit_actor(c.record) = $4)
           and ($5 is null or palisade.audit_subject(c.record) = $5)
           and ($7 is null or substring(encode(c.record, ''escape'') from ''"eventType":"([^"]*)"'') = any ($7))
           and ($8 is null or substring(encode(c.record, ''escape'') from ''"outcome":"([^"]*)"'') = any ($8))
         )
       ) as fits
       from (%1$s) c
     ), matches as (
       select c.id from candidates c where c.fits order by c.id %2$s limit $10
     )
     select * from (
       select l.id, l.tenant_id, l.record, s.epoch, s.seq, s.tenant_seq
       from matches m
       join palisade.secret_audit_logs l on l.id = m.id
       left join palisade.audit_seals s on s.record_id = m.id
       order by l.id %2$s
     ) page
     union all
     (select c.id, null, null, null, null, null from candidates c order by c.id %2$s offset $9 - 1 limit 1)',
    source, direction, is_settled::text
  ) using s_after, s_before, wanted, s_actor, s_subject, s_request, s_types, s_outcomes,
    (case when is_settled then least(s_page, s_scan) else s_scan end)::bigint, s_page;
end
$$;

revoke all on function palisade_lookup.find_audit_records from public;
grant usage on schema palisade_lookup to palisade_owner;
grant execute on function palisade_lookup.find_audit_records to palisade_owner;
