-- run as: palisade_owner

-- The AI tools that may ask at all.
create table palisade.mcp_key_tools (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  owner_subject text not null,
  name text not null,
  state text not null default 'pending' check (state in ('pending', 'approved', 'suspended')),
  public_key text,
  client_metadata_uri text,
  definition_digest bytea,
  created_at timestamptz not null default now(),
  unique (tenant_id, name),
  unique (tenant_id, id)
);

-- Bound to (uid, generation, digest of the spec): a wider spec is a new request while the old grant goes on.
create table palisade.mcp_key_access_requests (
  id uuid primary key,
  tenant_id uuid not null references palisade.tenants,
  tool_id uuid,
  source_uid text not null,
  source_generation bigint not null,
  spec_digest bytea not null check (octet_length(spec_digest) = 32),
  requested_by text not null,
  subject text not null,
  target jsonb not null,
  -- Free text may name a person: ciphertext under the requester's key.
  reason_ciphertext bytea,
  duration interval not null,
  risk_score integer check (risk_score between 0 and 100),
  state text not null default 'pending'
    check (state in ('pending', 'approved', 'denied', 'revoked', 'expired', 'withdrawn')),
  decided_by text,
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  unique (tenant_id, source_uid, source_generation, spec_digest),
  foreign key (tenant_id, tool_id) references palisade.mcp_key_tools (tenant_id, id),
  unique (tenant_id, id)
);

create table palisade.mcp_key_sessions (
  id uuid primary key,
  tenant_id uuid not null,
  request_id uuid not null,
  expires_at timestamptz not null,
  budget_calls integer,
  calls_used integer not null default 0 check (budget_calls is null or calls_used <= budget_calls),
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (tenant_id, request_id) references palisade.mcp_key_access_requests (tenant_id, id),
  unique (tenant_id, id)
);

create table palisade.mcp_proxy_tokens (
  id uuid primary key,
  tenant_id uuid not null,
  session_id uuid not null,
  token_digest bytea not null unique check (octet_length(token_digest) = 32),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (tenant_id, session_id) references palisade.mcp_key_sessions (tenant_id, id)
);

call palisade.guard_by_tenant(
  'mcp_key_tools', 'mcp_key_access_requests', 'mcp_key_sessions', 'mcp_proxy_tokens'
);

grant select, insert on palisade.mcp_key_tools, palisade.mcp_key_access_requests,
  palisade.mcp_key_sessions to palisade_app;
grant update (state, definition_digest) on palisade.mcp_key_tools to palisade_app;
grant update (risk_score, state, decided_by, decided_at) on palisade.mcp_key_access_requests to palisade_app;
grant update (calls_used, ended_at) on palisade.mcp_key_sessions to palisade_app;
grant select (id, tenant_id, session_id, expires_at, revoked_at, created_at), insert, update (revoked_at)
  on palisade.mcp_proxy_tokens to palisade_app;
