-- run as: palisade_owner

-- Who is asking, as '<tenant>/<user>', set for one transaction. After a transaction the setting reads '' and
-- not NULL, hence nullif: without a caller every policy compares with NULL and denies.
create function palisade.caller_tenant() returns uuid language sql stable parallel safe
  set search_path = pg_catalog
  return split_part(nullif(current_setting('palisade.caller', true), ''), '/', 1)::uuid;

create function palisade.caller_user() returns text language sql stable parallel safe
  set search_path = pg_catalog
  return nullif(split_part(nullif(current_setting('palisade.caller', true), ''), '/', 2), '');

create table palisade.tenants (
  tenant_id uuid primary key,
  kind text not null check (kind in ('platform', 'personal', 'team')),
  state text not null default 'active' check (state in ('active', 'locked', 'erased')),
  -- Ciphertext under the tenant's key: a team's name may name a person.
  name_ciphertext bytea,
  created_at timestamptz not null default now()
);

create table palisade.users (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  state text not null default 'active' check (state in ('active', 'locked', 'erased')),
  role text not null default 'user' check (role in ('user', 'admin', 'guest')),
  token_version integer not null default 0,
  -- Personal fields are ciphertext under the user's own key; the digest (keyed) is what a login looks up.
  email_ciphertext bytea,
  email_digest bytea unique,
  display_name_ciphertext bytea,
  password_hash text,
  two_factor_ciphertext bytea,
  provider text,
  provider_subject_digest bytea,
  created_at timestamptz not null default now(),
  unique (provider, provider_subject_digest)
);

create table palisade.tenant_members (
  tenant_id uuid not null references palisade.tenants,
  user_id uuid not null references palisade.users,
  role text not null check (role in ('owner', 'member', 'guest')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, user_id)
);

create table palisade.service_accounts (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  name text not null,
  state text not null default 'active' check (state in ('active', 'locked')),
  -- '<cluster>/<namespace>/<name>' of the Kubernetes account it stands for, when it does.
  kubernetes_subject text unique,
  created_at timestamptz not null default now(),
  unique (tenant_id, name)
);

create table palisade.secret_roles (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  name text not null,
  permissions text[] not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, name),
  unique (tenant_id, id)
);

create table palisade.secret_user_roles (
  tenant_id uuid not null,
  role_id uuid not null,
  subject text not null,
  granted_by text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, role_id, subject),
  foreign key (tenant_id, role_id) references palisade.secret_roles (tenant_id, id)
);

-- Every table of this schema gets the same guard: row security that the owner cannot escape either, and the
-- caller's tenant on both sides of a change. A test lists the tables and finds none without it.
create procedure palisade.guard_by_tenant(variadic tables text[]) language plpgsql
  set search_path = pg_catalog
as $$
declare
  name text;
begin
  foreach name in array tables loop
    execute format('alter table palisade.%I enable row level security', name);
    execute format('alter table palisade.%I force row level security', name);
    execute format(
      'create policy tenant on palisade.%I using (tenant_id = (select palisade.caller_tenant()))',
      name
    );
  end loop;
end
$$;

call palisade.guard_by_tenant(
  'tenants', 'users', 'tenant_members', 'service_accounts', 'secret_roles', 'secret_user_roles'
);

-- A member of a team is looked up under the team's tenant, where the user's own row would be invisible.
create policy oneself on palisade.users for select
  using (id::text = (select palisade.caller_user()));

grant usage on schema palisade to palisade_app, palisade_sealer, palisade_auditor, palisade_lookup;
grant usage on schema palisade_meta to palisade_app, palisade_sealer;
grant select on palisade_meta.migrations to palisade_app, palisade_sealer;

grant select, insert on palisade.tenants to palisade_app;
grant update (state, name_ciphertext) on palisade.tenants to palisade_app;
-- Password and second factor can be written but not read: only the lookup of a login returns them.
grant select (id, tenant_id, state, role, token_version, email_ciphertext, display_name_ciphertext, provider, created_at),
  insert, update (state, role, token_version, email_ciphertext, email_digest, display_name_ciphertext, password_hash,
    two_factor_ciphertext, provider, provider_subject_digest)
  on palisade.users to palisade_app;
grant select, insert, delete on palisade.tenant_members to palisade_app;
grant select, insert, delete on palisade.service_accounts, palisade.secret_roles, palisade.secret_user_roles
  to palisade_app;
grant update (state) on palisade.service_accounts to palisade_app;

-- Records that concern no tenant (a refusal before anyone is known, the sealer's own) belong to the platform.
select set_config('palisade.caller', '00000000-0000-0000-0000-000000000001/migrator', true);
insert into palisade.tenants (tenant_id, kind) values ('00000000-0000-0000-0000-000000000001', 'platform');

-- Before a caller is known only the functions of palisade_lookup read here: one row for one digest.
create policy lookup on palisade.users for select to palisade_lookup using (true);
grant select on palisade.users to palisade_lookup;
