-- run as: palisade_fence

-- What would make a rotation of this pair fail or hurt, one row each; empty when all is well. That CloudNativePG
-- does not manage the roles as well cannot be seen from here.
create function palisade_fence.preflight(role_a text, role_b text, member_of text)
  returns table (code text, role text, problem text, remedy text)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  wanted text;
  a pg_roles;
  pair palisade_fence.pairs;
begin
  if role_a is not distinct from role_b then
    return query select 'SameRole', role_a, 'both users of the pair are the same role', 'name two roles';
  end if;
  if not exists (select from pg_roles r where r.rolname = member_of) then
    return query select 'GroupMissing', member_of, format('role "%s" does not exist', member_of),
      'enrol the pair, which creates its group';
  end if;
  foreach wanted in array array[role_a, role_b] loop
    select * into a from pg_roles r where r.rolname = wanted;
    if a.oid is null then
      return query select 'RoleMissing', wanted, format('role "%s" does not exist', wanted), 'enrol the pair';
      continue;
    end if;
    select p.* into pair from palisade_fence.pairs p
      join palisade_fence.pair_roles r on r.pair_id = p.id where r.role = wanted;
    if pair.id is null then
      return query select 'NotEnrolled', wanted, format('role "%s" is not enrolled', wanted), 'enrol the pair';
    elsif pair.member_of <> preflight.member_of then
      return query select 'OtherGroup', wanted,
        format('role "%s" is enrolled as a member of "%s"', wanted, pair.member_of), 'correct memberOf';
    elsif not exists (
      select from palisade_fence.pair_roles r
      where r.pair_id = pair.id and r.role in (role_a, role_b) having count(*) = 2
    ) then
      return query select 'OtherPair', wanted, format('role "%s" is enrolled in another pair', wanted),
        'name the two roles of one pair';
    end if;
    if a.rolsuper or a.rolcreaterole or a.rolcreatedb or a.rolreplication or a.rolbypassrls then
      return query select 'TooPowerful', wanted, format('role "%s" has attributes beyond LOGIN', wanted),
        'take them away or use another role';
    end if;
    if not exists (
      select from pg_auth_members m join pg_roles g on g.oid = m.roleid
      where g.rolname = preflight.member_of and m.member = a.oid and m.set_option
    ) then
      return query select 'NotMember', wanted, format('role "%s" cannot act as "%s"', wanted, member_of),
        format('grant %I to %I', member_of, wanted);
    end if;
    if pair.id is not null and not exists (
      select from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
      where s.setrole = a.oid and d.datname = pair.database
        and format('role=%s', member_of) = any (s.setconfig)
    ) then
      return query select 'SetRoleMissing', wanted,
        format('objects that "%s" makes in "%s" would belong to itself', wanted, pair.database),
        format('alter role %I in database %I set role = %I', wanted, pair.database, member_of);
    end if;
    if pair.id is not null and not has_database_privilege(a.oid, pair.database::text, 'CONNECT') then
      return query select 'CannotConnect', wanted, format('role "%s" may not connect to "%s"', wanted, pair.database),
        format('grant connect on database %I to %I', pair.database, member_of);
    end if;
    if exists (select from pg_shdepend d where d.refclassid = 'pg_authid'::regclass and d.refobjid = a.oid and d.deptype = 'o')
    then
      return query select 'OwnsObjects', wanted, format('role "%s" owns objects', wanted),
        format('reassign owned by %I to %I', wanted, member_of);
    end if;
    if not pg_has_role('palisade_fence', a.oid, 'MEMBER WITH ADMIN OPTION') then
      return query select 'NotAdministered', wanted, format('the fence may not alter role "%s"', wanted),
        format('grant %I to palisade_fence with admin true, inherit false, set false', wanted);
    end if;
  end loop;
end
$$;

-- Makes a pair of alternating users for a namespace. Done again with the same words it changes nothing.
-- Called by the migrator after SET ROLE palisade_fence: PostgreSQL refuses ALTER ROLE ... SET role inside a
-- SECURITY DEFINER function.
create function palisade_fence.enrol(role_a text, role_b text, member_of text, database text, namespace text)
  returns void language plpgsql
  set search_path = pg_catalog, pg_temp
  set client_min_messages = 'warning'
as $$
declare
  wanted text;
  pair palisade_fence.pairs;
  problem record;
begin
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

revoke all on all functions in schema palisade_fence from public;
grant usage on schema palisade_fence to palisade_operator, palisade_migrator;
grant execute on function palisade_fence.set_verifier, palisade_fence.disable_login, palisade_fence.enable_login,
  palisade_fence.destroy_verifier, palisade_fence.release, palisade_fence.adopt, palisade_fence.observe,
  palisade_fence.sessions, palisade_fence.terminate_sessions, palisade_fence.preflight to palisade_operator;
grant execute on function palisade_fence.preflight to palisade_migrator;
