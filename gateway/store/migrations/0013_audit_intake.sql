-- run as: palisade_owner

-- Which steps the operator has told already. The key is the operator's; the digest tells a repetition, which changes
-- nothing, from another content under a key that was used, which is refused.
create table palisade.audit_intake (
  tenant_id uuid not null,
  resource_uid text not null,
  rotation_id text not null,
  seq bigint not null check (seq >= 0),
  event_type text not null,
  content_digest bytea not null check (octet_length(content_digest) = 32),
  record_id uuid not null unique,
  primary key (tenant_id, resource_uid, rotation_id, seq, event_type)
);
call palisade.guard_by_tenant('audit_intake');

-- A key that went would let its step be recorded a second time.
create trigger only_grows before update or delete or truncate on palisade.audit_intake
  for each statement execute function palisade.refuse_audit_change();
alter table palisade.audit_intake enable always trigger only_grows;
grant select, insert on palisade.audit_intake to palisade_app;

-- A batch is recorded whole or not at all: keys, records and what the sealer takes, in one round trip. Answers one
-- row for each entry, or the places of those that were recorded before with other content, and then nothing is kept.
create function palisade.ingest_audit(
  tenant uuid, subject text,
  k_resource text[], k_rotation text[], k_seq bigint[], k_type text[], k_digest bytea[],
  a_id uuid[], a_format smallint, a_writer text, a_key text, a_record bytea[], a_mac bytea[]
) returns table (place integer, outcome text) language plpgsql volatile
  set search_path = pg_catalog
as $$
declare
  fresh uuid[];
  wrong integer[];
begin
  perform palisade.enter(tenant, subject);
  begin
    -- In the order of the key: two replicas with the same entries then wait for each other and do not deadlock. The
    -- insert waits for one that is still running, and the next statement sees what that one left.
    with told as (
      insert into palisade.audit_intake
          (tenant_id, resource_uid, rotation_id, seq, event_type, content_digest, record_id)
        select tenant, w.resource, w.rotation, w.seq, w.type, w.digest, w.id
        from unnest(k_resource, k_rotation, k_seq, k_type, k_digest, a_id)
          as w (resource, rotation, seq, type, digest, id)
        order by w.resource, w.rotation, w.seq, w.type
        on conflict (tenant_id, resource_uid, rotation_id, seq, event_type) do nothing
        returning record_id
    )
    select coalesce(array_agg(record_id), '{}') into fresh from told;

    select array_agg(w.place::integer) into wrong
      from unnest(k_resource, k_rotation, k_seq, k_type, k_digest) with ordinality
        as w (resource, rotation, seq, type, digest, place)
      join palisade.audit_intake i on i.tenant_id = tenant and i.resource_uid = w.resource
        and i.rotation_id = w.rotation and i.seq = w.seq and i.event_type = w.type
      where i.content_digest <> w.digest;
    if wrong is not null then
      raise exception using errcode = 'PL030', message = 'recorded before with other content';
    end if;

    insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
      select w.id, tenant, a_format, a_writer, a_key, w.record, w.mac
      from unnest(a_id, a_record, a_mac) as w (id, record, mac)
      where w.id = any (fresh);
    insert into palisade.audit_pending (record_id, tenant_id, leaf)
      select w.id, tenant, sha256('\x00'::bytea || w.record)
      from unnest(a_id, a_record) as w (id, record)
      where w.id = any (fresh);
  exception when sqlstate 'PL030' then
    return query select unnest(wrong), 'conflict';
    return;
  end;
  return query
    select w.place::integer, case when w.id = any (fresh) then 'accepted' else 'repeated' end
    from unnest(a_id) with ordinality as w (id, place);
end
$$;

revoke all on function palisade.ingest_audit from public;
grant execute on function palisade.ingest_audit to palisade_app;
