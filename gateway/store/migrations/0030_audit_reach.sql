-- run as: palisade_owner

-- How far a search reaches: whether the caller is an auditor by today's row, so that a token from before shows nothing
-- more, and up to where retention has taken records away, so that nobody takes an empty answer for an empty past.
create policy search on palisade.audit_cuts for select to palisade_lookup using (true);
create policy search on palisade.audit_cut_progress for select to palisade_lookup using (true);
create policy search on palisade.audit_batches for select to palisade_lookup using (true);
grant select on palisade.audit_cuts, palisade.audit_cut_progress to palisade_lookup;
grant select (epoch, first, last, sealed_at) on palisade.audit_batches to palisade_lookup;

set local role palisade_lookup;

-- The last place that is taken away, and when its batch was sealed: every record before it was written before that. A
-- cut under way counts as far as it has come.
create function palisade_lookup.audit_cut_through() returns table (epoch integer, seq bigint, sealed_at timestamptz)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select c.epoch, p.next - 1, b.sealed_at
  from palisade.audit_cut_progress p
  join palisade.audit_cuts c using (record_id)
  join palisade.audit_batches b on b.epoch = c.epoch and p.next - 1 between b.first and b.last
  where p.next > c.first
  order by b.sealed_at desc, c.epoch desc, p.next desc
  limit 1
$$;
revoke all on function palisade_lookup.audit_cut_through from public;
grant execute on function palisade_lookup.audit_cut_through to palisade_owner;

set local role palisade_owner;

create function palisade.audit_reach(tenant uuid, subject uuid, token_version integer) returns table (
  is_auditor boolean, cut_epoch integer, cut_seq bigint, cut_sealed_at timestamptz
) language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform palisade.enter_as_user(tenant, subject, token_version);
  return query
    select exists (select from palisade.users u where u.id = subject and u.role = 'auditor'), c.epoch, c.seq, c.sealed_at
    from (select) one left join palisade_lookup.audit_cut_through() c on true;
end
$$;
revoke all on function palisade.audit_reach from public;
grant execute on function palisade.audit_reach to palisade_app;
