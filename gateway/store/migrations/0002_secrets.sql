-- run as: palisade_owner

-- The head of a secret. The MAC (key outside the database) covers id, current version and deletion, so that a
-- row put back to yesterday's state is noticed by the next read.
create table palisade.enterprise_secrets (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  name text not null,
  current_version integer not null check (current_version >= 1),
  deleted boolean not null default false,
  head_key_id text not null,
  head_mac bytea not null check (octet_length(head_mac) = 32),
  created_by text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, name),
  unique (tenant_id, id)
);

-- One data key per version, used for one encryption. The wrapped text holds the data key and the digest of the
-- associated data, since a wrap that carried the data itself could not be re-wrapped.
create table palisade.secret_versions (
  tenant_id uuid not null,
  secret_id uuid not null,
  version integer not null check (version >= 1),
  format smallint not null,
  algorithm text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  wrapped_key text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (secret_id, version),
  foreign key (tenant_id, secret_id) references palisade.enterprise_secrets (tenant_id, id)
);

-- The one table that crosses tenants: the owner's row names who may read, and until when.
create table palisade.secret_shares (
  id uuid primary key,
  tenant_id uuid not null,
  secret_id uuid not null,
  grantee_tenant_id uuid not null references palisade.tenants,
  -- NULL: everyone in the grantee's tenant.
  grantee_subject text,
  permission text not null default 'read' check (permission = 'read'),
  expires_at timestamptz,
  granted_by text not null,
  created_at timestamptz not null default now(),
  foreign key (tenant_id, secret_id) references palisade.enterprise_secrets (tenant_id, id),
  check (grantee_tenant_id <> tenant_id)
);
create index secret_shares_by_grantee on palisade.secret_shares (grantee_tenant_id, secret_id);

create table palisade.api_key_projects (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  name text not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, name),
  unique (tenant_id, id)
);

-- `issued`: a key of this gateway, kept as a digest. `third-party`: a provider's key, kept like a secret.
create table palisade.stored_api_keys (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  project_id uuid,
  kind text not null check (kind in ('issued', 'third-party')),
  name text not null,
  owner_subject text not null,
  scopes text[] not null default '{}',
  key_digest bytea unique check (octet_length(key_digest) = 32),
  secret_id uuid,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (tenant_id, project_id) references palisade.api_key_projects (tenant_id, id),
  foreign key (tenant_id, secret_id) references palisade.enterprise_secrets (tenant_id, id),
  check ((kind = 'issued') = (key_digest is not null)),
  check ((kind = 'third-party') = (secret_id is not null)),
  unique (tenant_id, id)
);

create table palisade.key_usage_analytics (
  tenant_id uuid not null,
  key_id uuid not null,
  minute timestamptz not null,
  tool text not null default '',
  uses bigint not null default 0,
  refusals bigint not null default 0,
  primary key (tenant_id, key_id, minute, tool),
  foreign key (tenant_id, key_id) references palisade.stored_api_keys (tenant_id, id)
);

call palisade.guard_by_tenant(
  'enterprise_secrets', 'secret_versions', 'secret_shares', 'api_key_projects', 'stored_api_keys',
  'key_usage_analytics'
);

create policy grantee on palisade.secret_shares for select using (
  grantee_tenant_id = (select palisade.caller_tenant())
  and (grantee_subject is null or grantee_subject = (select palisade.caller_user()))
  and (expires_at is null or expires_at > now())
);

-- The sub-select is itself under secret_shares' policies: it finds the caller's shares and no others.
create policy shared on palisade.enterprise_secrets for select using (
  not deleted
  and exists (
    select from palisade.secret_shares share
    where share.secret_id = enterprise_secrets.id
      and share.grantee_tenant_id = (select palisade.caller_tenant())
  )
);

create policy shared on palisade.secret_versions for select using (
  exists (
    select from palisade.secret_shares share
    where share.secret_id = secret_versions.secret_id
      and share.grantee_tenant_id = (select palisade.caller_tenant())
  )
);

grant select, insert on palisade.enterprise_secrets to palisade_app;
grant update (current_version, deleted, head_key_id, head_mac, updated_at)
  on palisade.enterprise_secrets to palisade_app;
grant select, insert on palisade.secret_versions to palisade_app;
-- Re-wrapping changes the wrap and never the ciphertext.
grant update (wrapped_key) on palisade.secret_versions to palisade_app;
grant delete on palisade.secret_versions to palisade_app;
grant select, insert, delete on palisade.secret_shares, palisade.api_key_projects to palisade_app;
grant select (id, tenant_id, project_id, kind, name, owner_subject, scopes, secret_id, expires_at, revoked_at, created_at),
  insert, update (name, scopes, secret_id, expires_at, revoked_at)
  on palisade.stored_api_keys to palisade_app;
grant select, insert, update (uses, refusals) on palisade.key_usage_analytics to palisade_app;

create policy lookup on palisade.stored_api_keys for select to palisade_lookup using (true);
grant select on palisade.stored_api_keys to palisade_lookup;
