-- run as: palisade_owner

-- Searching the log. The record stays as it was authenticated; what it is found by is read out of its bytes by the
-- functions below, which never fail: a record that somebody damaged must not stop whoever looks for the damage. In
-- RFC 8785 bytes members are sorted and no string of a record holds a quotation mark, so each pattern has one place.
create function palisade.audit_actor(record bytea) returns text language sql immutable parallel safe strict
  return substring(encode(substring(record for 350), 'escape') from '^\{"actor":\{"id":"([^"]*)"');

create function palisade.audit_subject(record bytea) returns text language sql immutable parallel safe strict
  return (
    select found[2] || ':' || found[1]
    from regexp_match(encode(record, 'escape'), '"subject":\{"id":"([^"]*)","kind":"([^"]*)"') as found
  );

create function palisade.audit_request(record bytea) returns text language sql immutable parallel safe strict
  return substring(encode(record, 'escape') from '"request":\{"id":"([^"]*)"');

-- Ids are UUIDs of version 7, so their order is that of time and a page needs no other key.
create index secret_audit_logs_in_order on palisade.secret_audit_logs (tenant_id, id);
create index secret_audit_logs_by_actor on palisade.secret_audit_logs (tenant_id, palisade.audit_actor(record), id);
create index secret_audit_logs_by_subject on palisade.secret_audit_logs (tenant_id, palisade.audit_subject(record), id);
create index secret_audit_logs_by_request on palisade.secret_audit_logs (palisade.audit_request(record), id);
-- Nothing was found by it.
drop index palisade.secret_audit_logs_by_tenant;

alter table palisade.users drop constraint users_role_check;
alter table palisade.users add constraint users_role_check check (role in ('user', 'admin', 'guest', 'auditor'));

-- The owner is bound by the tenant as well; the function below lifts that for auditors, for as long as it runs. The
-- setting means nothing to any other role.
create policy search on palisade.secret_audit_logs for select to palisade_owner
  using ((select current_setting('palisade.audit_search', true)) = 'everywhere');
create policy search on palisade.audit_seals for select to palisade_owner
  using ((select current_setting('palisade.audit_search', true)) = 'everywhere');

-- Records of the caller's tenant, or of one or all tenants for a user who is an auditor by today's row. One index leads
-- to the candidates, of which at most s_scan are looked at; the last row is the candidate where that ended, so that the
-- next call goes on behind it. s_after and s_before are excluded.
create function palisade.search_audit(
  tenant uuid, subject uuid, token_version integer,
  s_everywhere boolean, s_tenant uuid, s_actor text, s_subject text, s_request text,
  s_types text[], s_outcomes text[], s_after uuid, s_before uuid, s_oldest_first boolean, s_page integer, s_scan integer
) returns table (
  id uuid, tenant_id uuid, record bytea, epoch integer, seq bigint, tenant_seq bigint
) language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  wanted uuid := coalesce(s_tenant, case when not s_everywhere then tenant end);
  direction text := case when s_oldest_first then 'asc' else 'desc' end;
  between_ids text := 'l.id > $1 and l.id < $2';
  records text := 'select l.id, l.tenant_id, l.record from palisade.secret_audit_logs l where ';
  source text;
begin
  perform palisade.enter_as_user(tenant, subject, token_version);
  if s_everywhere or wanted <> tenant then
    if not exists (select from palisade.users u where u.id = subject and u.role = 'auditor') then
      raise exception using errcode = 'PL012', message = 'this user may not read the log of other tenants';
    end if;
    perform set_config('palisade.audit_search', 'everywhere', true);
  end if;

  -- Texts are put together from the constants of this function alone; every value is a parameter.
  if s_request is not null then
    source := records || 'palisade.audit_request(l.record) = $6 and ($3 is null or l.tenant_id = $3) and ' || between_ids;
  else
    source := records || case
      when s_subject is not null then 'l.tenant_id = t.tenant_id and palisade.audit_subject(l.record) = $5 and ' || between_ids
      when s_actor is not null then 'l.tenant_id = t.tenant_id and palisade.audit_actor(l.record) = $4 and ' || between_ids
      when wanted is not null then 'l.tenant_id = t.tenant_id and ' || between_ids
      else between_ids
    end;
  end if;
  source := source || format(' order by l.id %s limit $9', direction);
  if s_request is null and (wanted is not null or s_subject is not null or s_actor is not null) then
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
         ($4 is null or palisade.audit_actor(c.record) = $4)
         and ($5 is null or palisade.audit_subject(c.record) = $5)
         and ($7 is null or substring(encode(c.record, ''escape'') from ''"eventType":"([^"]*)"'') = any ($7))
         and ($8 is null or substring(encode(c.record, ''escape'') from ''"outcome":"([^"]*)"'') = any ($8))
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
    source, direction
  ) using s_after, s_before, wanted, s_actor, s_subject, s_request, s_types, s_outcomes, s_scan::bigint, s_page;
  perform set_config('palisade.audit_search', '', true);
end
$$;

-- Development login and embedded mode: the list of users says who is an auditor.
create function palisade.ensure_user(tenant uuid, subject uuid, wanted_role text) returns integer
  language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.ensure_user(tenant, subject);
  update palisade.users u set role = wanted_role where u.id = subject and u.role <> wanted_role;
  return (select u.token_version from palisade.users u where u.id = subject and u.state = 'active');
end
$$;

revoke all on function palisade.audit_actor, palisade.audit_subject, palisade.audit_request, palisade.search_audit,
  palisade.ensure_user(uuid, uuid, text) from public;
-- Whoever adds a record keeps the indexes, which call these.
grant execute on function palisade.audit_actor, palisade.audit_subject, palisade.audit_request
  to palisade_app, palisade_auditor;
grant execute on function palisade.search_audit, palisade.ensure_user(uuid, uuid, text) to palisade_app;
