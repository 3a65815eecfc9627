-- run as: palisade_owner

-- An Idempotency-Key is remembered for 24 hours; after that the same key is a new request. What a purge may take is
-- an hour older, so that no request that is running finds its key and loses it between two statements.

create policy purge on palisade.idempotency_keys to palisade_sealer
  using (created_at < now() - interval '25 hours');
-- Policies add up, and anybody may call himself a caller of any tenant: this one takes away what that would add.
create policy purge_only on palisade.idempotency_keys as restrictive to palisade_sealer
  using (created_at < now() - interval '25 hours');
-- Not the answer: who purges learns no id.
grant select (tenant_id, subject, key_digest, created_at), delete on palisade.idempotency_keys to palisade_sealer;

create or replace function palisade.write_secret(
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
    delete from palisade.idempotency_keys k
      where k.tenant_id = tenant and k.subject = write_secret.subject::text and k.key_digest = i_key
        and k.created_at < now() - interval '24 hours';
    -- The insert waits for a request with the same key that is still running, and then finds its answer.
    insert into palisade.idempotency_keys (tenant_id, subject, key_digest, request_digest, answer)
      values (tenant, subject::text, i_key, i_request, jsonb_build_object('secretId', new_id, 'version', expected + 1))
      on conflict do nothing;
    if not found then
      -- Behind this commit the first one is on the standby, too: without it the answer would be a promise that this
      -- server alone can keep. Reading waits for nobody, so something has to be written.
      perform pg_logical_emit_message(true, 'palisade', 'repeated');
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
