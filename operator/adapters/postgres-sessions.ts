import type { DatabaseSession } from '../ports.ts'

export const SESSIONS =
  'select pid, client_addr, application_name, backend_start from palisade_fence.sessions($1)'

export interface SessionRow {
  readonly pid: number
  readonly client_addr: string | null
  readonly application_name: string | null
  readonly backend_start: Date
}

/** The primary is asked twice, and its sessions count once. */
export const identityOf = ({
  pid,
  client_addr: address,
  backend_start: since,
}: SessionRow): string => `${pid}/${address}/${since.getTime()}`

export const sessionOf = (row: SessionRow): DatabaseSession => ({
  pid: row.pid,
  // inet prints a single address as /32 or /128 in some contexts; holders are matched by bare address.
  address: (row.client_addr ?? 'local').replace(/\/\d+$/, ''),
  application: row.application_name ?? '',
  since: row.backend_start.toISOString(),
})
