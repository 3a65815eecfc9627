-- run as: palisade_fence

-- The fence in front of login roles. The operator may execute these functions and nothing else; each one checks
-- and moves a sequence number in the transaction that changes the role, so a caller that slept through another's
-- rotation is refused by the database itself.

-- One row per pair of alternating users. `owner` is '<cluster>/<namespace>/<name>/<uid>' of the claiming resource;
-- the pair is claimed as a whole.
create table palisade_fence.pairs (
  id bigint generated always as identity primary key,
  member_of name not null,
  database name not null,
  namespace text not null,
  owner text
);

create table palisade_fence.pair_roles (
  role name primary key,
  pair_id bigint not null references palisade_fence.pairs,
  -- The number of the last change that this role accepted. It only grows.
  seq bigint not null default 0,
  changed_at timestamptz not null default now(),
  -- SHA-256 of the verifier in place: lets a caller that lost a reply see whether its value arrived.
  verifier_digest bytea
);

-- Locks a role's pair for a caller, or refuses it. Not callable from outside.
create function palisade_fence.hold(role text, owner text, expected_seq bigint)
  returns palisade_fence.pairs language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  pair palisade_fence.pairs;
  stands_at bigint;
  attributes pg_roles;
begin
  select p.* into pair
    from palisade_fence.pairs p
    join palisade_fence.pair_roles r on r.pair_id = p.id
    where r.role = hold.role
    for update of p;
  if pair.id is null then
    raise exception using errcode = 'PL003',
      message = format('role "%s" is not enrolled', role),
      hint = 'enrol the pair first: palisade enrol <role_a> <role_b> ...';
  end if;
  if owner is null or owner !~ '^[^/]+/[^/]+/[^/]+/[^/]+$' or split_part(owner, '/', 2) <> pair.namespace then
    raise exception using errcode = 'PL003',
      message = format('role "%s" is enrolled for namespace "%s", not for "%s"', role, pair.namespace, owner),
      hint = 'name a role that is enrolled for the namespace of the resource';
  end if;
  if pair.owner is not null and pair.owner <> owner then
    raise exception using errcode = 'PL002',
      message = format('role "%s" is owned by "%s"', role, pair.owner),
      hint = 'delete the other resource, or hand the claim over with palisade.dev/adopt';
  end if;
  select r.seq into stands_at from palisade_fence.pair_roles r where r.role = hold.role;
  if expected_seq is null or stands_at <> expected_seq then
    raise exception using errcode = 'PL001',
      message = format('the fence of role "%s" stands at %s, the caller expected %s', role, stands_at, expected_seq),
      hint = 'another replica went on meanwhile: read the state again';
  end if;
  select * into attributes from pg_roles where rolname = role;
  if attributes.oid is null
    or attributes.rolsuper or attributes.rolcreaterole or attributes.rolcreatedb
    or attributes.rolreplication or attributes.rolbypassrls
  then
    raise exception using errcode = 'PL004',
      message = format('role "%s" does not exist or has attributes beyond LOGIN', role),
      hint = 'a rotated role must be an ordinary login: see palisade_fence.preflight';
  end if;
  return pair;
end
$$;

-- Takes the caller through the fence: from here on the number it came with is stale.
create function palisade_fence.pass(role text, owner text, expected_seq bigint, next_seq bigint, new_owner text)
  returns void language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  pair palisade_fence.pairs;
begin
  pair := palisade_fence.hold(role, owner, expected_seq);
  if next_seq is null or next_seq <= expected_seq then
    raise exception using errcode = 'PL001',
      message = format('the next number %s does not follow %s', next_seq, expected_seq),
      hint = 'a sequence number only grows';
  end if;
  if new_owner is not null and (
    new_owner !~ '^[^/]+/[^/]+/[^/]+/[^/]+$' or split_part(new_owner, '/', 2) <> pair.namespace
  ) then
    raise exception using errcode = 'PL003',
      message = format('role "%s" is enrolled for namespace "%s", not for "%s"', role, pair.namespace, new_owner);
  end if;
  update palisade_fence.pairs p set owner = new_owner where p.id = pair.id;
  update palisade_fence.pair_roles r set seq = next_seq, changed_at = clock_timestamp() where r.role = pass.role;
end
$$;

-- ALTER ROLE takes no parameters, so its text is put together here. A failing statement would be logged with its
-- text, verifier included; the error is caught and raised again without it.
create function palisade_fence.alter_login(role text, login boolean, verifier text, drop_verifier boolean)
  returns void language plpgsql
  set search_path = pg_catalog, pg_temp
  set log_statement = 'none'
  set log_min_error_statement = 'panic'
  set log_min_duration_statement = -1
as $$
declare
  cause text;
begin
  begin
    if drop_verifier then
      execute format('alter role %I password null', role);
    elsif verifier is not null then
      execute format('alter role %I password %L', role, verifier);
    end if;
    execute format('alter role %I %s', role, case when login then 'login' else 'nologin' end);
  exception when others then
    cause := sqlstate;
  end;
  if cause is not null then
    raise exception using errcode = 'PL004',
      message = format('role "%s" could not be altered (SQLSTATE %s)', role, cause),
      hint = 'see palisade_fence.preflight for what is missing';
  end if;
end
$$;

-- Takes a SCRAM-SHA-256 verifier, which proves a password and cannot be used to log in; never a password.
create function palisade_fence.set_verifier(
  role text, owner text, expected_seq bigint, next_seq bigint, verifier text
) returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set log_statement = 'none'
  set log_min_error_statement = 'panic'
  set log_min_duration_statement = -1
as $$
begin
  if verifier is null
    or verifier !~ '^SCRAM-SHA-256\$[1-9][0-9]{3,6}:[A-Za-z0-9+/]{22,}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$'
  then
    raise exception using errcode = 'PL005',
      message = 'the value is not a SCRAM-SHA-256 verifier',
      hint = 'a password is never sent to the server: compute the verifier first';
  end if;
  perform palisade_fence.pass(role, owner, expected_seq, next_seq, owner);
  perform palisade_fence.alter_login(role, true, verifier, false);
  update palisade_fence.pair_roles r set verifier_digest = sha256(convert_to(verifier, 'UTF8'))
    where r.role = set_verifier.role;
end
$$;

create function palisade_fence.disable_login(role text, owner text, expected_seq bigint, next_seq bigint)
  returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade_fence.pass(role, owner, expected_seq, next_seq, owner);
  perform palisade_fence.alter_login(role, false, null, false);
end
$$;

create function palisade_fence.enable_login(role text, owner text, expected_seq bigint, next_seq bigint)
  returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade_fence.pass(role, owner, expected_seq, next_seq, owner);
  perform palisade_fence.alter_login(role, true, null, false);
end
$$;

create function palisade_fence.destroy_verifier(role text, owner text, expected_seq bigint, next_seq bigint)
  returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade_fence.pass(role, owner, expected_seq, next_seq, owner);
  perform palisade_fence.alter_login(role, false, null, true);
  update palisade_fence.pair_roles r set verifier_digest = null where r.role = destroy_verifier.role;
end
$$;

-- Gives the pair up; the numbers stay and grow on, so an old caller does not fit again.
create function palisade_fence.release(role text, owner text, expected_seq bigint, next_seq bigint)
  returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade_fence.pass(role, owner, expected_seq, next_seq, null);
end
$$;

-- Hands a claim to another resource of the same namespace that can name the old owner.
create function palisade_fence.adopt(
  role text, old_owner text, new_owner text, expected_seq bigint, next_seq bigint
) returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade_fence.pass(role, old_owner, expected_seq, next_seq, coalesce(new_owner, ''));
end
$$;

-- What stands in the database, for a caller that must find out where it is.
create function palisade_fence.observe(role text)
  returns table (role_name text, owner text, seq bigint, can_login boolean, verifier_digest bytea, namespace text)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select other.role::text, p.owner, other.seq, coalesce(a.rolcanlogin, false), other.verifier_digest, p.namespace
  from palisade_fence.pair_roles asked
  join palisade_fence.pairs p on p.id = asked.pair_id
  join palisade_fence.pair_roles other on other.pair_id = p.id
  left join pg_roles a on a.rolname = other.role
  where asked.role = observe.role
  order by other.role
$$;

create function palisade_fence.sessions(role text)
  returns table (pid integer, client_addr inet, application_name text, backend_start timestamptz, state text)
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  select s.pid, s.client_addr, s.application_name, s.backend_start, s.state
  from pg_stat_activity s
  where s.usename = sessions.role
    and exists (select from palisade_fence.pair_roles r where r.role = sessions.role)
  order by s.backend_start
$$;

create function palisade_fence.terminate_sessions(role text, owner text, expected_seq bigint)
  returns integer language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  ended integer;
begin
  perform palisade_fence.hold(role, owner, expected_seq);
  select count(*) filter (where pg_terminate_backend(s.pid)) into ended
    from pg_stat_activity s where s.usename = terminate_sessions.role;
  return ended;
end
$$;
