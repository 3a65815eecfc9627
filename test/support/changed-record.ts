import { psql } from './database.ts'

/** A sealed record of the platform's log, with all that its row holds. */
export interface SealedRecord {
  readonly id: string
  /** `epoch/seq`, as findings name it. */
  readonly place: string
  /** Base64, as an export has them. */
  readonly record: string
  readonly mac: string
  /** Of the row as a whole. */
  readonly digest: string
}

const base64 = (column: string) => `translate(encode(${column}, 'base64'), E'\\n', '')`
const UNDEFENDED = (statement: string) => `begin;
alter table palisade.secret_audit_logs disable trigger only_grows;
${statement};
alter table palisade.secret_audit_logs enable always trigger only_grows;
commit;`

/** The newest one about something that succeeded. */
export async function newestSuccess(): Promise<SealedRecord> {
  const [row] = await psql(`select l.id, s.epoch || '/' || s.seq, ${base64('l.record')},
      ${base64('l.mac')}, md5(l::text)
    from palisade.audit_seals s join palisade.secret_audit_logs l on l.id = s.record_id
    where convert_from(l.record, 'utf8') like '%"outcome":"success"%'
    order by s.epoch desc, s.seq desc limit 1`)
  const [id, place, record, mac, digest] = row ?? []
  if (!id || !place || !record || !mac || !digest) throw new Error('no success is sealed yet')
  return { id, place, record, mac, digest }
}

/** What an administrator who has something to hide would do: it never happened. */
export const changeRecord = ({ id }: SealedRecord) =>
  psql(
    UNDEFENDED(`update palisade.secret_audit_logs
set record = convert_to(replace(convert_from(record, 'utf8'), '"success"', '"failure"'), 'utf8')
where id = '${id}'`),
  )

/** For a test that ends before what it tests has put it back. */
export const putBack = ({ id, record, mac }: SealedRecord) =>
  psql(
    UNDEFENDED(`update palisade.secret_audit_logs
set record = decode('${record}', 'base64'), mac = decode('${mac}', 'base64') where id = '${id}'`),
  )

/** Digest of the row, and the triggers that keep rows as they are, with `A` for each that is always on. */
export async function stateOf({ id }: SealedRecord): Promise<{ digest: string; guards: string[] }> {
  const [digest] = await psql(
    `select md5(l::text) from palisade.secret_audit_logs l where l.id = '${id}'`,
  )
  const guards = await psql(`select format('%s %s', tgname, tgenabled) from pg_trigger
    where tgrelid = 'palisade.secret_audit_logs'::regclass and not tgisinternal order by tgname`)
  return { digest: digest?.[0] ?? '', guards: guards.flat() }
}
