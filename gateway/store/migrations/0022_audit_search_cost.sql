-- run as: palisade_owner

-- What a record is found by is read out of it each time one is written. An SQL function that is no single expression is
-- planned anew for each row and a pattern without an anchor tries every place: together half of what an insert took.
-- The same answers for every record that a writer makes; of a damaged one, something that still fits an index.
create or replace function palisade.audit_subject(record bytea) returns text
  language plpgsql immutable parallel safe strict
  set search_path = pg_catalog
as $$
declare
  rest text := split_part(encode(record, 'escape'), '"subject":{"id":"', 2);
begin
  if split_part(rest, '"', 3) <> 'kind' then
    return null;
  end if;
  return left(split_part(rest, '"', 5) || ':' || split_part(rest, '"', 1), 600);
end
$$;

create or replace function palisade.audit_request(record bytea) returns text
  language sql immutable parallel safe strict
  return left(split_part(split_part(encode(record, 'escape'), '"request":{"id":"', 2), '"', 1), 600);

reindex index palisade.secret_audit_logs_by_subject;
reindex index palisade.secret_audit_logs_by_request;
