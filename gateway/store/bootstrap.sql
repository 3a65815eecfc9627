-- Roles, memberships and schemas. Run once in the application database, before any migration, by a superuser
-- (CloudNativePG's postInitApplicationSQL, the embedded mode) or, in a database that exists already, by a login that
-- has CREATEROLE and owns the database, on PostgreSQL 16 or newer. Running it again changes nothing. What such a login
-- may not do is left out with a warning that says what follows; a role that would have too much ends it.
-- Everything after it is done by palisade_migrator, which is no superuser.

do $$
declare
  wanted record;
  has record;
begin
  for wanted in
    select *
      from (values
        ('palisade_owner', 'nologin'),
        ('palisade_migrator', 'login'),
        ('palisade_app', 'nologin'),
        ('palisade_sealer', 'nologin'),
        ('palisade_auditor', 'nologin'),
        ('palisade_retention', 'nologin'),
        ('palisade_cutter', 'nologin'),
        ('palisade_lookup', 'nologin'),
        ('palisade_fence', 'nologin createrole'),
        ('palisade_operator', 'login')
      ) as r (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I', wanted.name);
    end if;
    -- Named only where there is something to take away: to name an attribute one must have it oneself.
    select * into has from pg_roles where rolname = wanted.name;
    if has.rolsuper or has.rolbypassrls or has.rolreplication or has.rolcreatedb then
      execute format('alter role %I nosuperuser nobypassrls noreplication nocreatedb', wanted.name);
    end if;
    -- Also for a role that was there before: a database owner made by the cluster loses its login here,
    -- so the password that was generated for it opens nothing.
    execute format('alter role %I %s', wanted.name, wanted.attributes);
  end loop;
end
$$;

-- The migrator acts as the owner of what it migrates, by SET ROLE and never by inheritance.
grant palisade_owner to palisade_migrator with set true, inherit false;
grant palisade_lookup to palisade_migrator with set true, inherit false;
grant palisade_fence to palisade_migrator with set true, inherit false;
-- So that a Job with the migrator's certificate can export the audit log, by SET ROLE as well.
grant palisade_auditor to palisade_migrator with set true, inherit false;
-- Owns the one function that takes archived records away; who may call it also reads what was archived.
grant palisade_cutter to palisade_migrator with set true, inherit false;
grant palisade_auditor to palisade_retention with set true, inherit false;

-- The fence makes login roles members of these groups; it cannot act as them.
grant palisade_app to palisade_fence with admin true, inherit false, set false;
grant palisade_sealer to palisade_fence with admin true, inherit false, set false;
grant palisade_auditor to palisade_fence with admin true, inherit false, set false;

-- To see and to end sessions of the roles it holds; superuser sessions stay out of reach. Where nobody can give this
-- away, the fence inherits from each pair that is enrolled instead: palisade_fence.see_sessions.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['pg_read_all_stats', 'pg_signal_backend'] loop
    if pg_has_role(current_user, wanted, 'MEMBER WITH ADMIN OPTION') then
      execute format('grant %I to palisade_fence', wanted);
    elsif not pg_has_role('palisade_fence', wanted, 'USAGE') then
      raise warning using
        message = format('palisade_fence is no member of %s: it inherits from the rotated users to see and end their sessions', wanted),
        hint = format('as an administrator: grant %I to palisade_fence', wanted);
    end if;
  end loop;
end
$$;

-- So that the gateway learns how full the volume is. Only a superuser can allow it; without it palisade.audit_volume
-- counts the configured bound of the write-ahead log.
do $$
begin
  if (select rolsuper from pg_roles where rolname = current_user) then
    grant execute on function pg_catalog.pg_ls_waldir() to palisade_owner;
  end if;
end
$$;

-- A statement that carries a verifier must not reach the server's log, whatever the server logs by default.
-- Extensions keep texts as well; their settings wait until such an extension is loaded. What cannot be set here must
-- be right at the provider: palisade_fence.loud_settings judges it, and the operator rotates nothing until it is.
do $$
declare
  wanted record;
  refused text[] = '{}';
begin
  for wanted in
    select *
      from (values
        ('log_statement', 'none', true),
        ('log_min_error_statement', 'panic', true),
        ('log_min_duration_statement', '-1', true),
        ('log_min_duration_sample', '-1', false),
        ('log_transaction_sample_rate', '0', false),
        ('log_parameter_max_length', '0', false),
        ('log_parameter_max_length_on_error', '0', false),
        ('pg_stat_statements.track', 'none', false),
        ('pgaudit.log', 'none', false),
        ('auto_explain.log_min_duration', '-1', false)
      ) as s (name, value, in_functions)
  loop
    begin
      if wanted.in_functions then
        execute format('grant set on parameter %s to palisade_fence', wanted.name);
      end if;
      execute format('alter role palisade_operator set %s = %L', wanted.name, wanted.value);
    exception when insufficient_privilege then
      refused := refused || wanted.name;
    end;
  end loop;
  if refused <> '{}' then
    raise warning using
      message = format('palisade_operator keeps the server''s own setting of %s', array_to_string(refused, ', ')),
      hint = 'rotations wait while one of them would log a verifier; the operator then names it';
  end if;
end
$$;

-- A login without superuser acts as the others by SET ROLE, as it must to make their schemas and to migrate.
do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    grant palisade_migrator to current_user with set true, inherit false;
  end if;
end
$$;

create schema if not exists palisade authorization palisade_owner;
create schema if not exists palisade_meta authorization palisade_owner;
create schema if not exists palisade_lookup authorization palisade_lookup;
create schema if not exists palisade_fence authorization palisade_fence;

revoke all on schema public from public;
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format(
    'grant connect on database %I to palisade_migrator, palisade_operator, palisade_app, palisade_sealer, palisade_auditor, palisade_retention',
    current_database()
  );
  -- Passed on to the group of each pair that is enrolled for this database.
  execute format('grant connect on database %I to palisade_fence with grant option', current_database());
end
$$;
