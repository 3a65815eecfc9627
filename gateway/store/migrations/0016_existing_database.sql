-- run as: palisade_fence

-- For databases whose administrator is no superuser. Where bootstrap.sql could do all it wanted, both change nothing.

-- What would write a verifier to a log or to a table of statistics if the calling session sent one now; empty when it
-- is safe. Settings belong to sessions, so the operator asks in its own. The verifier travels as a parameter, so a
-- statement that is logged without its parameters says nothing.
create function palisade_fence.loud_settings()
  returns table (code text, role text, problem text, remedy text)
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  with setting as (
    select
      coalesce(current_setting('log_parameter_max_length', true), '-1') <> '0' as logs_parameters,
      current_setting('log_statement') = 'all' as every_statement,
      current_setting('log_min_duration_statement') <> '-1'
        or current_setting('log_min_duration_sample') <> '-1' as slow_statements,
      current_setting('log_transaction_sample_rate')::real > 0 as samples,
      current_setting('log_parameter_max_length_on_error') <> '0' as failed_statements,
      -- Settings of extensions read as NULL or as nothing where the extension is not loaded.
      -- Only these see the ALTER ROLE that runs inside the fenced function.
      coalesce(current_setting('pg_stat_statements.track', true), '') = 'all'
        and coalesce(current_setting('pg_stat_statements.track_utility', true), '') <> 'off' as inner_statements,
      coalesce(nullif(current_setting('pgaudit.log', true), ''), 'none') <> 'none'
        and coalesce(current_setting('pgaudit.log_parameter', true), '') = 'on' as audited_parameters,
      coalesce(nullif(current_setting('auto_explain.log_min_duration', true), ''), '-1') <> '-1'
        and coalesce(current_setting('auto_explain.log_parameter_max_length', true), '') <> '0' as explained
  )
  select 'LogsVerifiers', session_user::text, format('the server would log a verifier: %s', found.name), found.remedy
  from setting, lateral (values
    (logs_parameters and every_statement, 'log_statement = all',
      'set log_statement to ddl, or log_parameter_max_length to 0, for palisade_operator or the server'),
    (logs_parameters and slow_statements, 'log_min_duration_statement or log_min_duration_sample',
      'set them to -1, or log_parameter_max_length to 0, for palisade_operator or the server'),
    (logs_parameters and samples, 'log_transaction_sample_rate',
      'set it to 0, or log_parameter_max_length to 0, for palisade_operator or the server'),
    (failed_statements, 'log_parameter_max_length_on_error', 'set it to 0 for palisade_operator or the server'),
    (inner_statements, 'pg_stat_statements.track = all',
      'set it to top, or pg_stat_statements.track_utility to off, for palisade_operator or the server'),
    (audited_parameters, 'pgaudit.log_parameter', 'set it to off for palisade_operator or the server'),
    (explained, 'auto_explain.log_min_duration',
      'set it to -1, or auto_explain.log_parameter_max_length to 0, for palisade_operator or the server')
  ) as found (is_so, name, remedy)
  where found.is_so
$$;

-- Lets the fence see and end the sessions of a pair where it could not be made a member of pg_read_all_stats and
-- pg_signal_backend. It then inherits what the pair may do; nobody acts as the fence but through its functions and,
-- for a migration, the migrator. Called by the migrator after SET ROLE palisade_fence.
create function palisade_fence.see_sessions(role_a text, role_b text)
  returns void language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  wanted text;
begin
  if pg_has_role('palisade_fence', 'pg_read_all_stats', 'USAGE')
    and pg_has_role('palisade_fence', 'pg_signal_backend', 'USAGE')
  then
    return;
  end if;
  foreach wanted in array array[role_a, role_b] loop
    if not pg_has_role('palisade_fence', wanted, 'USAGE') then
      execute format('grant %I to palisade_fence with inherit true, set false', wanted);
    end if;
  end loop;
end
$$;

revoke all on function palisade_fence.loud_settings, palisade_fence.see_sessions from public;
grant execute on function palisade_fence.loud_settings to palisade_operator, palisade_migrator;
