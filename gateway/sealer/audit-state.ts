import type pg from 'pg'
import type { LogEnd } from '#core/audit/epoch-opening'

/** What the gateway and the people who recover are told. Written by the sealer alone. */

/** Where database and outside differ. `note` is the signed checkpoint. */
export interface Gap {
  readonly head: LogEnd
  readonly outside: LogEnd
  readonly note: string
}

/** Changes nothing where it is said already, so that a connection does not wait for the standby because of it. */
export async function saySealing(client: pg.ClientBase): Promise<void> {
  await client.query(
    `update palisade.audit_state set state = 'sealing', since = clock_timestamp(),
       outside_epoch = null, outside_size = null, outside_root = null, outside_checkpoint = null,
       head_epoch = null, head_size = null, head_root = null
     where state <> 'sealing'`,
  )
}

export async function sayBehind(client: pg.ClientBase, gap: Gap): Promise<void> {
  const { head, outside, note } = gap
  await client.query(
    `insert into palisade.audit_state as s
       (state, outside_epoch, outside_size, outside_root, outside_checkpoint, head_epoch, head_size, head_root)
     values ('behind', $1, $2, $3, $4, $5, $6, $7)
     on conflict (tenant_id) do update set state = 'behind', since = clock_timestamp(),
       outside_epoch = $1, outside_size = $2, outside_root = $3, outside_checkpoint = $4,
       head_epoch = $5, head_size = $6, head_root = $7
     where (s.state, s.outside_epoch, s.outside_size, s.outside_root, s.head_epoch, s.head_size, s.head_root)
       is distinct from ('behind', $1, $2, $3, $5, $6, $7)`,
    [outside.epoch, outside.size, outside.root, note, head.epoch, head.size, head.root],
  )
}

/** The checkpoint that this database was found to be behind, so that a place that is silent later changes nothing. */
export async function rememberedGap(client: pg.ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ note: string }>(
    `select outside_checkpoint as note from palisade.audit_state where state = 'behind'`,
  )
  return rows[0]?.note
}
