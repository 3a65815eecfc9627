-- The few statements that need a superuser. Run once in the application database by whoever initialises it
-- (CloudNativePG postInitApplicationSQL, the embedded mode, a managed service's administrator); running it
-- again changes nothing. Everything after it is done by palisade_migrator, which is no superuser.

do $$
declare
  wanted record;
begin
  for wanted in
    select *
      from (values
        ('palisade_owner', 'nologin'),
        ('palisade_migrator', 'login'),
        ('palisade_app', 'nologin'),
        ('palisade_sealer', 'nologin'),
        ('palisade_auditor', 'nologin'),
        ('palisade_lookup', 'nologin'),
        ('palisade_fence', 'nologin createrole'),
        ('palisade_operator', 'login')
      ) as r (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I', wanted.name);
    end if;
    -- Also for a role that was there before: a database owner made by the cluster loses its login here,
    -- so the password that was generated for it opens nothing.
    execute format(
      'alter role %I nosuperuser nobypassrls noreplication nocreatedb %s',
      wanted.name,
      wanted.attributes
    );
  end loop;
end
$$;

-- The migrator acts as the owner of what it migrates, by SET ROLE and never by inheritance.
grant palisade_owner to palisade_migrator with set true, inherit false;
grant palisade_lookup to palisade_migrator with set true, inherit false;
grant palisade_fence to palisade_migrator with set true, inherit false;
-- So that a Job with the migrator's certificate can export the audit log, by SET ROLE as well.
grant palisade_auditor to palisade_migrator with set true, inherit false;

-- The fence makes login roles members of these groups; it cannot act as them.
grant palisade_app to palisade_fence with admin true, inherit false, set false;
grant palisade_sealer to palisade_fence with admin true, inherit false, set false;
grant palisade_auditor to palisade_fence with admin true, inherit false, set false;

-- To see and to end sessions of the roles it holds; superuser sessions stay out of reach.
grant pg_read_all_stats to palisade_fence;
grant pg_signal_backend to palisade_fence;

-- A statement that carries a verifier must not reach the server's log, whatever the server logs by default.
grant set on parameter log_statement to palisade_fence;
grant set on parameter log_min_error_statement to palisade_fence;
grant set on parameter log_min_duration_statement to palisade_fence;
alter role palisade_operator set log_statement = 'none';
alter role palisade_operator set log_min_error_statement = 'panic';
alter role palisade_operator set log_min_duration_statement = -1;
alter role palisade_operator set log_min_duration_sample = -1;
alter role palisade_operator set log_transaction_sample_rate = 0;
alter role palisade_operator set log_parameter_max_length = 0;
alter role palisade_operator set log_parameter_max_length_on_error = 0;
-- Extensions keep texts as well; these settings wait until such an extension is loaded.
alter role palisade_operator set pg_stat_statements.track = 'none';
alter role palisade_operator set pgaudit.log = 'none';

create schema if not exists palisade authorization palisade_owner;
create schema if not exists palisade_meta authorization palisade_owner;
create schema if not exists palisade_lookup authorization palisade_lookup;
create schema if not exists palisade_fence authorization palisade_fence;

revoke all on schema public from public;
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format(
    'grant connect on database %I to palisade_migrator, palisade_operator, palisade_app, palisade_sealer, palisade_auditor',
    current_database()
  );
  -- Passed on to the group of each pair that is enrolled for this database.
  execute format('grant connect on database %I to palisade_fence with grant option', current_database());
end
$$;
