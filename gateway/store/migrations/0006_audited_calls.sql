-- run as: palisade_owner

-- Each function below is one audited request in one round trip: it sets the caller, acts under row-level
-- security (the functions run with the rights of whoever calls them) and appends the record, or does nothing.

create function palisade.enter(tenant uuid, subject text) returns void language sql volatile
  set search_path = pg_catalog
as $$
  select set_config('palisade.caller', coalesce(tenant::text || '/' || subject, ''), true)
$$;

-- Enters as a user and refuses one whose tokens were revoked since, or who is locked, or has no place in the tenant.
create function palisade.enter_as_user(tenant uuid, subject uuid, token_version integer) returns void
  language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter(tenant, subject::text);
  if not exists (
    select from palisade.users u
    join palisade.tenants t on t.tenant_id = tenant and t.state = 'active'
    where u.id = subject and u.state = 'active' and u.token_version = enter_as_user.token_version
      and (
        u.tenant_id = tenant
        or exists (select from palisade.tenant_members m where m.tenant_id = tenant and m.user_id = subject)
      )
  ) then
    raise exception using errcode = 'PL010', message = 'the token of this user is no longer valid in this tenant';
  end if;
end
$$;

create type palisade.audit_record as (
  id uuid, format_version smallint, writer text, mac_key_id text, record bytea, mac bytea
);

create function palisade.add_record(tenant uuid, a palisade.audit_record) returns void language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  insert into palisade.secret_audit_logs (id, tenant_id, format_version, writer, mac_key_id, record, mac)
    values (a.id, tenant, a.format_version, a.writer, a.mac_key_id, a.record, a.mac);
  insert into palisade.audit_pending (record_id, tenant_id, leaf)
    values (a.id, tenant, sha256('\x00'::bytea || a.record));
end
$$;

-- A refusal or a failed handler; the tenant is the record's, and nothing can be read here.
create function palisade.append_audit(
  tenant uuid, subject text,
  a_id uuid, a_format smallint, a_writer text, a_key text, a_record bytea, a_mac bytea
) returns void language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter(tenant, coalesce(subject, 'anonymous'));
  perform palisade.add_record(tenant, row(a_id, a_format, a_writer, a_key, a_record, a_mac));
end
$$;

create function palisade.find_head(tenant uuid, subject uuid, token_version integer, wanted text)
  returns setof palisade.enterprise_secrets language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter_as_user(tenant, subject, token_version);
  return query select * from palisade.enterprise_secrets s where s.tenant_id = tenant and s.name = wanted;
end
$$;

-- `moved`: the record in hand was made for another version, so nothing is handed out and nothing recorded.
create function palisade.read_secret(
  tenant uuid, subject uuid, token_version integer, wanted text, wanted_version integer, expected integer,
  r_id uuid, r_format smallint, r_writer text, r_key text, r_record bytea, r_mac bytea,
  n_id uuid, n_format smallint, n_writer text, n_key text, n_record bytea, n_mac bytea
) returns table (
  outcome text, secret_id uuid, current_version integer, deleted boolean, head_key_id text, head_mac bytea,
  version integer, format smallint, algorithm text, nonce bytea, ciphertext bytea, wrapped_key text,
  created_at timestamptz
) language plpgsql volatile
  set search_path = pg_catalog
as $$
declare
  head palisade.enterprise_secrets;
  found_version palisade.secret_versions;
begin
  perform palisade.enter_as_user(tenant, subject, token_version);
  select * into head from palisade.enterprise_secrets s where s.tenant_id = tenant and s.name = wanted;
  if head.id is not null and head.current_version is distinct from expected then
    return query select 'moved', head.id, head.current_version, head.deleted, head.head_key_id, head.head_mac,
      null::integer, null::smallint, null, null::bytea, null::bytea, null, null::timestamptz;
    return;
  end if;
  if head.id is not null and not head.deleted then
    select * into found_version from palisade.secret_versions v
      where v.secret_id = head.id and v.version = coalesce(wanted_version, head.current_version);
  end if;
  if found_version.secret_id is null then
    perform palisade.add_record(tenant, row(n_id, n_format, n_writer, n_key, n_record, n_mac));
    return query select 'absent', head.id, head.current_version, head.deleted, head.head_key_id, head.head_mac,
      null::integer, null::smallint, null, null::bytea, null::bytea, null, null::timestamptz;
    return;
  end if;
  perform palisade.add_record(tenant, row(r_id, r_format, r_writer, r_key, r_record, r_mac));
  return query select 'read', head.id, head.current_version, head.deleted, head.head_key_id, head.head_mac,
    found_version.version, found_version.format, found_version.algorithm, found_version.nonce,
    found_version.ciphertext, found_version.wrapped_key, found_version.created_at;
end
$$;

create function palisade.write_secret(
  tenant uuid, subject uuid, token_version integer, wanted text, new_id uuid, expected integer,
  v_format smallint, v_algorithm text, v_nonce bytea, v_ciphertext bytea, v_wrapped_key text,
  h_key text, h_mac bytea,
  a_id uuid, a_format smallint, a_writer text, a_key text, a_record bytea, a_mac bytea,
  i_key bytea, i_request bytea
) returns table (
  outcome text, secret_id uuid, current_version integer, deleted boolean, head_key_id text, head_mac bytea,
  created_at timestamptz
) language plpgsql volatile
  set search_path = pg_catalog
as $$
declare
  head palisade.enterprise_secrets;
  done palisade.idempotency_keys;
begin
  perform palisade.enter_as_user(tenant, subject, token_version);
  if i_key is not null then
    -- The insert waits for a request with the same key that is still running, and then finds its answer.
    insert into palisade.idempotency_keys (tenant_id, subject, key_digest, request_digest, answer)
      values (tenant, subject::text, i_key, i_request, jsonb_build_object('secretId', new_id, 'version', expected + 1))
      on conflict do nothing;
    if not found then
      select * into strict done from palisade.idempotency_keys k
        where k.tenant_id = tenant and k.subject = write_secret.subject::text and k.key_digest = i_key;
      if done.request_digest <> i_request then
        return query select 'keyReused', null::uuid, null::integer, null::boolean, null, null::bytea, null::timestamptz;
      else
        return query select 'repeated', (done.answer ->> 'secretId')::uuid, (done.answer ->> 'version')::integer,
          null::boolean, null, null::bytea, done.created_at;
      end if;
      return;
    end if;
  end if;
  if expected = 0 then
    insert into palisade.enterprise_secrets
        (id, tenant_id, name, current_version, head_key_id, head_mac, created_by)
      values (new_id, tenant, wanted, 1, h_key, h_mac, subject::text)
      on conflict (tenant_id, name) do nothing
      returning * into head;
  else
    update palisade.enterprise_secrets s
      set current_version = expected + 1, deleted = false, head_key_id = h_key, head_mac = h_mac, updated_at = now()
      where s.tenant_id = tenant and s.name = wanted and s.id = new_id and s.current_version = expected
      returning * into head;
  end if;
  if head.id is null then
    delete from palisade.idempotency_keys k
      where k.tenant_id = tenant and k.subject = write_secret.subject::text and k.key_digest = i_key;
    return query select 'moved', s.id, s.current_version, s.deleted, s.head_key_id, s.head_mac, null::timestamptz
      from (select) as one left join palisade.enterprise_secrets s on s.tenant_id = tenant and s.name = wanted;
    return;
  end if;
  insert into palisade.secret_versions
      (tenant_id, secret_id, version, format, algorithm, nonce, ciphertext, wrapped_key, created_by)
    values (tenant, new_id, expected + 1, v_format, v_algorithm, v_nonce, v_ciphertext, v_wrapped_key, subject::text);
  perform palisade.add_record(tenant, row(a_id, a_format, a_writer, a_key, a_record, a_mac));
  return query select 'written', head.id, head.current_version, head.deleted, head.head_key_id, head.head_mac, now();
end
$$;

create function palisade.change_head(
  tenant uuid, subject uuid, token_version integer, wanted text, expected_version integer, expected_deleted boolean,
  new_version integer, new_deleted boolean, h_key text, h_mac bytea,
  a_id uuid, a_format smallint, a_writer text, a_key text, a_record bytea, a_mac bytea
) returns table (
  outcome text, secret_id uuid, current_version integer, deleted boolean, head_key_id text, head_mac bytea,
  created_at timestamptz
) language plpgsql volatile
  set search_path = pg_catalog
as $$
declare
  head palisade.enterprise_secrets;
begin
  perform palisade.enter_as_user(tenant, subject, token_version);
  update palisade.enterprise_secrets s
    set current_version = new_version, deleted = new_deleted, head_key_id = h_key, head_mac = h_mac, updated_at = now()
    where s.tenant_id = tenant and s.name = wanted
      and s.current_version = expected_version and s.deleted = expected_deleted
    returning * into head;
  if head.id is null then
    return query select 'moved', s.id, s.current_version, s.deleted, s.head_key_id, s.head_mac, null::timestamptz
      from (select) as one left join palisade.enterprise_secrets s on s.tenant_id = tenant and s.name = wanted;
    return;
  end if;
  perform palisade.add_record(tenant, row(a_id, a_format, a_writer, a_key, a_record, a_mac));
  return query select 'written', head.id, head.current_version, head.deleted, head.head_key_id, head.head_mac, now();
end
$$;

create function palisade.list_secrets(
  tenant uuid, subject uuid, token_version integer, after_name text, page_size integer,
  a_id uuid, a_format smallint, a_writer text, a_key text, a_record bytea, a_mac bytea
) returns table (
  id uuid, name text, version integer, deleted boolean, created_at timestamptz, updated_at timestamptz
) language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter_as_user(tenant, subject, token_version);
  perform palisade.add_record(tenant, row(a_id, a_format, a_writer, a_key, a_record, a_mac));
  return query select s.id, s.name, s.current_version, s.deleted, s.created_at, s.updated_at
    from palisade.enterprise_secrets s
    where s.tenant_id = tenant and s.name > coalesce(after_name, '')
    order by s.name limit page_size;
end
$$;

-- Development login and embedded mode: the user and the personal tenant come to be at the first login.
create function palisade.ensure_user(tenant uuid, subject uuid) returns integer language plpgsql volatile
  set search_path = pg_catalog
as $$
begin
  perform palisade.enter(tenant, subject::text);
  insert into palisade.tenants (tenant_id, kind) values (tenant, 'personal') on conflict do nothing;
  insert into palisade.users (id, tenant_id) values (subject, tenant) on conflict do nothing;
  return (select u.token_version from palisade.users u where u.id = subject and u.state = 'active');
end
$$;

revoke all on all functions in schema palisade from public;
revoke all on all procedures in schema palisade from public;
grant execute on function palisade.caller_tenant(), palisade.caller_user()
  to palisade_app, palisade_sealer, palisade_auditor, palisade_lookup;
grant execute on function palisade.enter, palisade.enter_as_user, palisade.add_record, palisade.append_audit,
  palisade.find_head, palisade.read_secret, palisade.write_secret, palisade.change_head, palisade.list_secrets,
  palisade.ensure_user to palisade_app;
