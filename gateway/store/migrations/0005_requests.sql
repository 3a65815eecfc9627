-- run as: palisade_owner

-- What a request did under an Idempotency-Key: ids and numbers, never a value that is shown once.
create table palisade.idempotency_keys (
  tenant_id uuid not null references palisade.tenants,
  subject text not null,
  key_digest bytea not null check (octet_length(key_digest) = 32),
  request_digest bytea not null check (octet_length(request_digest) = 32),
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, subject, key_digest)
);
create index idempotency_keys_by_age on palisade.idempotency_keys (created_at);

-- Written in the transaction of a revocation and copied to every replica's view from here.
create table palisade.revocation_outbox (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references palisade.tenants,
  kind text not null check (
    kind in ('user', 'session', 'family', 'token', 'grant', 'api-key', 'tenant', 'signing-key')
  ),
  subject text not null,
  created_at timestamptz not null default clock_timestamp(),
  published_at timestamptz
);
create index revocation_outbox_unpublished on palisade.revocation_outbox (id) where published_at is null;

call palisade.guard_by_tenant('idempotency_keys', 'revocation_outbox');

grant select, insert, delete on palisade.idempotency_keys to palisade_app;
grant select, insert, update (published_at) on palisade.revocation_outbox to palisade_app;
