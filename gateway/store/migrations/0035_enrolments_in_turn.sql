-- run as: palisade_fence

-- Two enrolments at one moment wrote the same rows of catalogues, such as the one of their database, and PostgreSQL
-- ended one of them with its bare "tuple concurrently updated". Now the second waits until the first is committed or
-- rolled back, and then sees what is there. The key is any number, but always the same one; its neighbours are those of
-- the migrations and of the sealer. It is taken before anything else, so whoever waits holds up nobody.
create or replace function palisade_fence.enrol(role_a text, role_b text, member_of text, database text, namespace text)
  returns void language plpgsql
  set search_path = pg_catalog, pg_temp
  set client_min_messages = 'warning'
as $$
declare
  wanted text;
  pair palisade_fence.pairs;
  problem record;
begin
  perform pg_advisory_xact_lock(7203114503);
  if role_a is null or role_b is null or role_a = role_b or namespace is null or namespace !~ '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' then
    raise exception using errcode = 'PL003', message = 'enrol needs two different roles and the name of a namespace';
  end if;
  if not exists (select from pg_database d where d.datname = database) then
    raise exception using errcode = 'PL003', message = format('database "%s" does not exist', database);
  end if;
  if not exists (select from pg_roles r where r.rolname = member_of) then
    execute format('create role %I nologin', member_of);
  end if;
  -- In a database that somebody else made, its owner grants this.
  if not has_database_privilege(member_of, database, 'CONNECT')
    and has_database_privilege(database, 'CONNECT WITH GRANT OPTION')
  then
    execute format('grant connect on database %I to %I', database, member_of);
  end if;
  foreach wanted in array array[role_a, role_b] loop
    if not exists (select from pg_roles r where r.rolname = wanted) then
      execute format('create role %I nologin', wanted);
    elsif not pg_has_role('palisade_fence', wanted, 'MEMBER WITH ADMIN OPTION') then
      raise exception using errcode = 'PL004',
        message = format('role "%s" exists and is not the fence''s to alter', wanted),
        hint = format('as an administrator: grant %I to palisade_fence with admin true, inherit false, set false', wanted);
    end if;
    execute format('grant %I to %I', member_of, wanted);
    execute format('alter role %I in database %I set role = %I', wanted, database, member_of);
  end loop;
  select p.* into pair from palisade_fence.pairs p
    join palisade_fence.pair_roles r on r.pair_id = p.id
    where r.role in (role_a, role_b) limit 1 for update of p;
  if pair.id is null then
    insert into palisade_fence.pairs (member_of, database, namespace)
      values (member_of, database, namespace) returning * into pair;
    insert into palisade_fence.pair_roles (role, pair_id) values (role_a, pair.id), (role_b, pair.id);
  elsif pair.namespace <> namespace or pair.member_of <> member_of or pair.database <> database then
    raise exception using errcode = 'PL002',
      message = format('the pair is enrolled for namespace "%s", group "%s", database "%s"',
        pair.namespace, pair.member_of, pair.database);
  end if;
  for problem in select * from palisade_fence.preflight(role_a, role_b, member_of) loop
    raise exception using errcode = 'PL004', message = problem.problem, hint = problem.remedy;
  end loop;
end
$$;
