-- run as: palisade_fence

-- People who may open the next epoch of the audit log after a restore: two logins of this role, made by an
-- administrator. The fence makes it since no other owner of ours may make roles.
do $$
begin
  if not exists (select from pg_roles where rolname = 'palisade_audit_recoverer') then
    create role palisade_audit_recoverer nologin;
  end if;
  -- In a database that somebody else made, its owner grants this.
  if has_database_privilege(current_database(), 'CONNECT WITH GRANT OPTION') then
    execute format('grant connect on database %I to palisade_audit_recoverer', current_database());
  end if;
end
$$;
