-- run as: palisade_fence

-- A number that jumps to the end of its type would lock the role for ever. A rotation counts in dozens, so this is
-- far more than any caller has missed, and far too little to come to an end.
create or replace function palisade_fence.pass(
  role text, owner text, expected_seq bigint, next_seq bigint, new_owner text
) returns void language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  pair palisade_fence.pairs;
  most constant bigint := 1000000;
begin
  pair := palisade_fence.hold(role, owner, expected_seq);
  if next_seq is null or next_seq <= expected_seq then
    raise exception using errcode = 'PL001',
      message = format('the next number %s does not follow %s', next_seq, expected_seq),
      hint = 'a sequence number only grows';
  end if;
  if next_seq - expected_seq > most then
    raise exception using errcode = 'PL001',
      message = format('the next number %s is more than %s after %s', next_seq, most, expected_seq),
      hint = 'no rotation takes so many steps: the caller does not know where it is';
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

-- On a replica no row can be locked, and none needs to be: what stands there has happened on the primary. That the
-- number has arrived shows that the closed login has arrived as well, so no session can follow the ones that end.
create or replace function palisade_fence.terminate_sessions(role text, owner text, expected_seq bigint)
  returns integer language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  ended integer;
  pair palisade_fence.pairs;
  stands_at bigint;
begin
  if pg_is_in_recovery() then
    select p.* into pair from palisade_fence.pairs p
      join palisade_fence.pair_roles r on r.pair_id = p.id where r.role = terminate_sessions.role;
    select r.seq into stands_at from palisade_fence.pair_roles r where r.role = terminate_sessions.role;
    if pair.id is null or stands_at < expected_seq then
      raise exception using errcode = 'PL006',
        message = format('this replica has not seen number %s of role "%s" yet', expected_seq, role),
        hint = 'ask again when it has caught up';
    end if;
    if pair.owner is distinct from owner then
      raise exception using errcode = 'PL002', message = format('role "%s" is owned by "%s"', role, pair.owner);
    end if;
    if expected_seq is null or stands_at <> expected_seq then
      raise exception using errcode = 'PL001',
        message = format('the fence of role "%s" stands at %s, the caller expected %s', role, stands_at, expected_seq);
    end if;
  else
    perform palisade_fence.hold(role, owner, expected_seq);
  end if;
  select count(*) filter (where pg_terminate_backend(s.pid)) into ended
    from pg_stat_activity s where s.usename = terminate_sessions.role;
  return ended;
end
$$;

-- The way out after a restore: moves the number of a role on from where a person has seen it stand, and changes
-- nothing else. It only grows here as well, so what was under way before the restore does not fit afterwards.
create function palisade_fence.resync(role text, owner text, expected_seq bigint, next_seq bigint)
  returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade_fence.pass(role, owner, expected_seq, next_seq, owner);
end
$$;

revoke all on function palisade_fence.resync from public;
grant execute on function palisade_fence.resync to palisade_operator;
