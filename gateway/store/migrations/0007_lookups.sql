-- run as: palisade_lookup

-- Lookups before a caller is known. Each takes a digest that only the holder of the key or the address can make
-- and returns one row; there is no way to list.

create function palisade_lookup.find_api_key(digest bytea)
  returns table (id uuid, tenant_id uuid, owner_subject text, scopes text[], expires_at timestamptz, revoked_at timestamptz)
  language sql stable security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
  select k.id, k.tenant_id, k.owner_subject, k.scopes, k.expires_at, k.revoked_at
  from palisade.stored_api_keys k
  where k.kind = 'issued' and k.key_digest = digest
$$;

create function palisade_lookup.find_login(email_digest bytea)
  returns table (id uuid, tenant_id uuid, state text, role text, token_version integer, password_hash text)
  language sql stable security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
  select u.id, u.tenant_id, u.state, u.role, u.token_version, u.password_hash
  from palisade.users u
  where u.email_digest = find_login.email_digest
$$;

revoke all on all functions in schema palisade_lookup from public;
grant usage on schema palisade_lookup to palisade_app;
grant execute on all functions in schema palisade_lookup to palisade_app;
