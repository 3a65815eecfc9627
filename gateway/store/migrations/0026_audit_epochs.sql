-- run as: palisade_owner

-- What the sealer found when it compared the log with the checkpoints outside. One row; while it says `behind`, this
-- database is older than what was signed, and nobody is served from it.
create table palisade.audit_state (
  tenant_id uuid primary key default '00000000-0000-0000-0000-000000000001'
    check (tenant_id = '00000000-0000-0000-0000-000000000001'),
  state text not null check (state in ('sealing', 'behind')),
  since timestamptz not null default clock_timestamp(),
  outside_epoch integer,
  outside_size bigint,
  outside_root bytea,
  -- The signed note itself: a place that does not answer later must not make it forgotten.
  outside_checkpoint text,
  head_epoch integer,
  head_size bigint,
  head_root bytea,
  check (state = 'sealing' or num_nulls(outside_epoch, outside_size, outside_root, outside_checkpoint,
    head_epoch, head_size, head_root) = 0)
);

-- What two people want: the next epoch after exactly this end of the log, giving up exactly what was signed beyond it.
create table palisade.audit_recoveries (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000001',
  outside_epoch integer not null,
  outside_size bigint not null,
  outside_root bytea not null,
  head_epoch integer not null,
  head_size bigint not null,
  head_root bytea not null,
  -- Where the reason is written down. The reason itself is what a person wrote, and stays out of the log.
  reference text not null check (reference ~ '^[A-Za-z0-9_.:/-]{1,100}$'),
  proposed_by text not null,
  proposed_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null default clock_timestamp() + interval '1 hour',
  approved_by text,
  approved_at timestamptz,
  record_id uuid,
  opened_at timestamptz,
  constraint two_people check (approved_by <> proposed_by),
  check ((approved_by is null) = (approved_at is null)),
  check (record_id is null or approved_by is not null)
);

call palisade.guard_by_tenant('audit_state', 'audit_recoveries');

create policy everybody on palisade.audit_state for select to palisade_app, palisade_owner using (true);
create policy sealer on palisade.audit_state to palisade_sealer using (true) with check (true);
create policy sealer on palisade.audit_recoveries to palisade_sealer using (true) with check (true);
create policy auditor on palisade.audit_state for select to palisade_auditor using (true);
create policy auditor on palisade.audit_recoveries for select to palisade_auditor using (true);
grant select (tenant_id, state) on palisade.audit_state to palisade_app;
grant select, insert, update on palisade.audit_state to palisade_sealer;
grant select, update (record_id, opened_at) on palisade.audit_recoveries to palisade_sealer;
grant select on palisade.audit_state, palisade.audit_recoveries to palisade_auditor;

create function palisade.refuse_behind() returns void language plpgsql stable
  set search_path = pg_catalog
as $$
begin
  if exists (select from palisade.audit_state s where s.state = 'behind') then
    raise exception using
      errcode = 'PL040',
      message = 'this database is older than what was signed of its audit log';
  end if;
end
$$;

-- Everything that a known caller asks for begins here.
create or replace function palisade.enter_as_user(tenant uuid, subject uuid, token_version integer) returns void
  language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.refuse_behind();
  perform palisade.enter(tenant, subject::text);
  if not exists (
    select from palisade.users u
    join palisade.tenants t on t.tenant_id = tenant and t.state = 'active'
    where u.id = subject and u.state = 'active' and u.token_version = enter_as_user.token_version
      and (
        u.tenant_id = tenant
        or exists (select from palisade.tenant_members m where m.tenant_id = tenant and m.user_id = subject)
      )
  ) then
    raise exception using errcode = 'PL010', message = 'the token of this user is no longer valid in this tenant';
  end if;
end
$$;

create or replace function palisade.ensure_user(tenant uuid, subject uuid) returns integer language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.refuse_behind();
  perform palisade.enter(tenant, subject::text);
  insert into palisade.tenants (tenant_id, kind) values (tenant, 'personal') on conflict do nothing;
  insert into palisade.users (id, tenant_id) values (subject, tenant) on conflict do nothing;
  return (select u.token_version from palisade.users u where u.id = subject and u.state = 'active');
end
$$;

-- The operator keeps a step until it was taken. Taken by a copy that is replaced in an hour, it would be lost.
create function palisade.refuse_intake_behind() returns trigger language plpgsql
  set search_path = pg_catalog
as $$
begin
  perform palisade.refuse_behind();
  return null;
end
$$;
create trigger refuse_behind before insert on palisade.audit_intake
  for each statement execute function palisade.refuse_intake_behind();

-- The sealer's own records: of the platform, by the sealer, and sealed in the same transaction.
create function palisade.add_sealer_record(
  a_id uuid, a_format smallint, a_key text, a_record bytea, a_mac bytea
) returns void language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade.enter('00000000-0000-0000-0000-000000000001', 'sealer');
  insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
    values (a_id, '00000000-0000-0000-0000-000000000001', a_format, 'sealer', a_key, a_record, a_mac);
end
$$;

-- A person is the login of the session, which nobody but a superuser can change. Who may act as the owner of the
-- tables, or above them, is no second pair of eyes.
create function palisade.recoverer() returns text language plpgsql stable
  set search_path = pg_catalog
as $$
begin
  if not pg_has_role(session_user, 'palisade_audit_recoverer', 'MEMBER')
    or pg_has_role(session_user, 'palisade_owner', 'MEMBER')
    or exists (select from pg_roles r where r.rolname = session_user and (r.rolsuper or r.rolcreaterole))
    or session_user !~ '^[A-Za-z0-9_.-]{1,63}$'
  then
    raise exception using
      errcode = 'PL041',
      message = format('%s may not recover the audit log: it takes a login of its own that is a member of '
        'palisade_audit_recoverer, without CREATEROLE and without the rights of the owner', session_user);
  end if;
  return session_user;
end
$$;

-- The state of now, if it is the one that the person has a checkpoint of.
create function palisade.state_to_recover(c_epoch integer, c_size bigint, c_root bytea)
  returns palisade.audit_state language plpgsql volatile
  set search_path = pg_catalog
as $$
declare
  now_is palisade.audit_state;
begin
  select * into now_is from palisade.audit_state s for share;
  if now_is.state is distinct from 'behind' then
    raise exception using errcode = 'PL043', message = 'the log is not behind a checkpoint: there is nothing to recover';
  end if;
  if (now_is.outside_epoch, now_is.outside_size, now_is.outside_root) is distinct from (c_epoch, c_size, c_root) then
    raise exception using
      errcode = 'PL043',
      message = format('the newest checkpoint outside is of epoch %s with %s records, which is not the one in your hand',
        now_is.outside_epoch, now_is.outside_size);
  end if;
  return now_is;
end
$$;

create function palisade.propose_recovery(c_epoch integer, c_size bigint, c_root bytea, c_reference text)
  returns setof palisade.audit_recoveries language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  person text = palisade.recoverer();
  now_is palisade.audit_state;
begin
  perform palisade.enter('00000000-0000-0000-0000-000000000001', 'recoverer');
  now_is = palisade.state_to_recover(c_epoch, c_size, c_root);
  return query
    insert into palisade.audit_recoveries
        (outside_epoch, outside_size, outside_root, head_epoch, head_size, head_root, reference, proposed_by)
      values (now_is.outside_epoch, now_is.outside_size, now_is.outside_root,
        now_is.head_epoch, now_is.head_size, now_is.head_root, c_reference, person)
      returning *;
end
$$;

create function palisade.approve_recovery(proposal uuid, c_epoch integer, c_size bigint, c_root bytea)
  returns setof palisade.audit_recoveries language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  person text = palisade.recoverer();
  now_is palisade.audit_state;
  wish palisade.audit_recoveries;
begin
  perform palisade.enter('00000000-0000-0000-0000-000000000001', 'recoverer');
  select * into wish from palisade.audit_recoveries r where r.id = proposal for update;
  if wish.id is null then
    raise exception using errcode = 'PL043', message = format('there is no proposal %s', proposal);
  end if;
  if wish.proposed_by = person then
    raise exception using errcode = 'PL042', message = format('%s proposed it: another person has to approve', person);
  end if;
  -- Told again, it is done already.
  if wish.approved_by is not null then
    return next wish;
    return;
  end if;
  if wish.expires_at <= clock_timestamp() then
    raise exception using errcode = 'PL043', message = format('the proposal ended at %s', wish.expires_at);
  end if;
  now_is = palisade.state_to_recover(c_epoch, c_size, c_root);
  if (wish.outside_epoch, wish.outside_size, wish.outside_root, wish.head_epoch, wish.head_size, wish.head_root)
    is distinct from (now_is.outside_epoch, now_is.outside_size, now_is.outside_root,
      now_is.head_epoch, now_is.head_size, now_is.head_root)
  then
    raise exception using errcode = 'PL043', message = 'database or checkpoint moved on since it was proposed';
  end if;
  return query
    update palisade.audit_recoveries r set approved_by = person, approved_at = clock_timestamp()
      where r.id = proposal returning *;
end
$$;

create function palisade.recovery_status() returns table (
  state text, since timestamptz, outside_epoch integer, outside_size bigint, outside_checkpoint text,
  head_epoch integer, head_size bigint, proposals json
) language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade.recoverer();
  perform palisade.enter('00000000-0000-0000-0000-000000000001', 'recoverer');
  return query
    select s.state, s.since, s.outside_epoch, s.outside_size, s.outside_checkpoint, s.head_epoch, s.head_size, (
      select coalesce(json_agg(json_build_object('id', r.id, 'reference', r.reference, 'proposedBy', r.proposed_by,
        'expiresAt', r.expires_at, 'approvedBy', r.approved_by, 'openedAt', r.opened_at) order by r.proposed_at), '[]')
      from palisade.audit_recoveries r where r.proposed_at > now() - interval '1 day'
    )
    from palisade.audit_state s;
end
$$;

revoke all on function palisade.refuse_behind, palisade.refuse_intake_behind, palisade.add_sealer_record,
  palisade.recoverer, palisade.state_to_recover, palisade.propose_recovery, palisade.approve_recovery,
  palisade.recovery_status from public;
grant execute on function palisade.refuse_behind to palisade_app;
grant execute on function palisade.add_sealer_record to palisade_sealer;
grant execute on function palisade.propose_recovery, palisade.approve_recovery, palisade.recovery_status
  to palisade_audit_recoverer;
grant usage on schema palisade to palisade_audit_recoverer;

select set_config('palisade.caller', '00000000-0000-0000-0000-000000000001/migrator', true);
insert into palisade.audit_state (state) values ('sealing');
