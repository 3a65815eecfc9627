-- run as: palisade_owner

-- A record as its writer authenticated it: the canonical bytes (RFC 8785) and a MAC whose key is outside the
-- database. Nothing here is ever changed or taken away.
create table palisade.secret_audit_logs (
  id uuid primary key,
  tenant_id uuid not null,
  format_version smallint not null,
  writer text not null,
  mac_key_id text not null,
  record bytea not null,
  mac bytea not null check (octet_length(mac) = 32),
  inserted_at timestamptz not null default clock_timestamp()
);
create index secret_audit_logs_by_tenant on palisade.secret_audit_logs (tenant_id, inserted_at);

-- Written with the record and emptied by the sealer. It carries the leaf hash (RFC 6962 2.1), so a record edited
-- or removed before it was sealed is sealed as it was committed and stands out afterwards.
create table palisade.audit_pending (
  record_id uuid primary key,
  tenant_id uuid not null,
  leaf bytea not null check (octet_length(leaf) = 32),
  since timestamptz not null default clock_timestamp()
);

-- The log's order. `tenant_seq` counts one tenant's records, so that a gap shows without other tenants' rows.
create table palisade.audit_seals (
  epoch integer not null,
  seq bigint not null check (seq >= 1),
  record_id uuid not null unique,
  tenant_id uuid not null,
  tenant_seq bigint not null check (tenant_seq >= 1),
  leaf bytea not null check (octet_length(leaf) = 32),
  primary key (epoch, seq),
  unique (tenant_id, epoch, tenant_seq)
);

-- Two sealers that read the same head want the same keys here and in audit_seals: the second one fails.
create table palisade.audit_batches (
  epoch integer not null,
  first bigint not null,
  last bigint not null,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000001',
  root bytea not null check (octet_length(root) = 32),
  prev_root bytea not null unique check (octet_length(prev_root) = 32),
  -- Right edge of the two trees (records, numbering), from which the next batch goes on without reading leaves.
  frontier bytea[] not null,
  numbering_frontier bytea[] not null,
  -- Advances with each sealing and is not taken back by a DELETE: tells a cut tail from a restored dump.
  counter bigint not null,
  checkpoint text not null,
  sealed_at timestamptz not null default clock_timestamp(),
  primary key (epoch, last),
  unique (epoch, first),
  check (first >= 1 and last >= first)
);
create sequence palisade.audit_batch_counter;

-- Refusals before authentication are counted per minute, not rowed: rows must not be a remote off switch.
create table palisade.audit_counters (
  minute timestamptz not null,
  reason text not null,
  route text not null,
  -- Keyed digest of the source's /32 or /64; the address itself only as ciphertext.
  source_digest bytea not null,
  source_ciphertext bytea,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000001',
  writer text not null,
  refusals bigint not null check (refusals > 0),
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  primary key (minute, reason, route, source_digest, writer)
);

call palisade.guard_by_tenant(
  'secret_audit_logs', 'audit_pending', 'audit_seals', 'audit_batches', 'audit_counters'
);

-- Sealer and auditor work across tenants, on audit tables alone.
create policy sealer on palisade.audit_pending to palisade_sealer using (true);
create policy sealer on palisade.audit_seals to palisade_sealer using (true) with check (true);
create policy sealer on palisade.audit_batches to palisade_sealer using (true) with check (true);
create policy auditor on palisade.secret_audit_logs for select to palisade_auditor using (true);
create policy auditor on palisade.audit_pending for select to palisade_auditor using (true);
create policy auditor on palisade.audit_seals for select to palisade_auditor using (true);
create policy auditor on palisade.audit_batches for select to palisade_auditor using (true);
create policy auditor on palisade.audit_counters for select to palisade_auditor using (true);

create function palisade.refuse_audit_change() returns trigger language plpgsql
  set search_path = pg_catalog
as $$
begin
  raise exception using
    errcode = 'PL020',
    message = format('%s of palisade.%s is refused: audit tables only grow', tg_op, tg_table_name);
end
$$;

-- The grants below already leave no role a way; the triggers stop the owner and the superuser's slip of the hand.
do $$
declare
  name text;
begin
  foreach name in array array['secret_audit_logs', 'audit_seals', 'audit_batches'] loop
    execute format(
      'create trigger only_grows before update or delete or truncate on palisade.%I
         for each statement execute function palisade.refuse_audit_change()',
      name
    );
    execute format('alter table palisade.%I enable always trigger only_grows', name);
  end loop;
end
$$;

grant insert on palisade.secret_audit_logs, palisade.audit_pending to palisade_app;
grant select (epoch, seq, record_id, tenant_id) on palisade.audit_seals to palisade_app;
grant select, insert, update (refusals, last_seen) on palisade.audit_counters to palisade_app;
grant select, delete on palisade.audit_pending to palisade_sealer;
grant select, insert on palisade.audit_seals, palisade.audit_batches to palisade_sealer;
grant usage, select on sequence palisade.audit_batch_counter to palisade_sealer;
grant select on palisade.secret_audit_logs, palisade.audit_pending, palisade.audit_seals,
  palisade.audit_batches, palisade.audit_counters to palisade_auditor;
grant select on sequence palisade.audit_batch_counter to palisade_auditor;
