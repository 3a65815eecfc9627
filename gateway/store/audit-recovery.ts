import pg from 'pg'
import type { LogEnd } from '#core/audit/epoch-opening'
import { PalisadeError } from '#core/problem'

/** What two people want, as the database keeps it. */
export interface Proposal {
  readonly id: string
  readonly lost: { readonly epoch: number; readonly size: number }
  readonly survives: { readonly epoch: number; readonly size: number }
  readonly reference: string
  readonly proposedBy: string
  readonly expiresAt: Date
  readonly approvedBy: string | null
  readonly openedAt: Date | null
}

export interface RecoveryStatus {
  /** `behind`: the sealer has stopped, and nobody is served. */
  readonly state: 'sealing' | 'behind'
  readonly since: Date
  readonly lost: { readonly epoch: number; readonly size: number } | null
  readonly survives: { readonly epoch: number; readonly size: number } | null
  /** The signed note that the sealer found outside. */
  readonly checkpoint: string | null
  /** Of the last day. */
  readonly proposals: readonly Omit<Proposal, 'lost' | 'survives'>[]
}

/** The person is the login of the connection: the database asks nobody else who they are. */
export const proposeRecovery = (client: pg.ClientBase, lost: LogEnd, reference: string) =>
  decide(client, 'select * from palisade.propose_recovery($1, $2, $3, $4)', [
    ...endValues(lost),
    reference,
  ])

export const approveRecovery = (client: pg.ClientBase, proposal: string, lost: LogEnd) =>
  decide(client, 'select * from palisade.approve_recovery($1, $2, $3, $4)', [
    proposal,
    ...endValues(lost),
  ])

export async function recoveryStatus(client: pg.ClientBase): Promise<RecoveryStatus> {
  const [row] = await ask<StatusRow>(client, 'select * from palisade.recovery_status()')
  if (!row) {
    throw new PalisadeError('ERR_AUDIT_RECOVERY_VOID', 'the sealer has not said anything', {
      remedy: 'start the sealer, which says within seconds how the log stands',
    })
  }
  const { state, since, outside_checkpoint: checkpoint, proposals } = row
  return {
    ...{ state, since, checkpoint, proposals },
    lost: endOf(row.outside_epoch, row.outside_size),
    survives: endOf(row.head_epoch, row.head_size),
  }
}

interface StatusRow {
  readonly state: RecoveryStatus['state']
  readonly since: Date
  readonly outside_epoch: number | null
  readonly outside_size: string | null
  readonly outside_checkpoint: string | null
  readonly head_epoch: number | null
  readonly head_size: string | null
  readonly proposals: RecoveryStatus['proposals']
}

interface ProposalRow {
  readonly id: string
  readonly outside_epoch: number
  readonly outside_size: string
  readonly head_epoch: number
  readonly head_size: string
  readonly reference: string
  readonly proposed_by: string
  readonly expires_at: Date
  readonly approved_by: string | null
  readonly opened_at: Date | null
}

async function decide(client: pg.ClientBase, text: string, values: unknown[]): Promise<Proposal> {
  const [row] = await ask<ProposalRow>(client, text, values)
  if (!row) throw new Error('the database answered no row')
  return {
    id: row.id,
    lost: { epoch: row.outside_epoch, size: Number(row.outside_size) },
    survives: { epoch: row.head_epoch, size: Number(row.head_size) },
    reference: row.reference,
    proposedBy: row.proposed_by,
    expiresAt: row.expires_at,
    approvedBy: row.approved_by,
    openedAt: row.opened_at,
  }
}

/** Not a member, not a person, or the same person twice; a state that is not there, or not any more. */
const UNFIT = new Set(['42501', 'PL041', 'PL042'])
const VOID = new Set(['PL043', '23514', '22P02'])

async function ask<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  text: string,
  values: unknown[] = [],
): Promise<readonly Row[]> {
  try {
    return (await client.query<Row>(text, values)).rows
  } catch (error) {
    const state = error instanceof pg.DatabaseError ? (error.code ?? '') : ''
    const detail = (error as Error).message
    if (UNFIT.has(state)) throw new PalisadeError('ERR_AUDIT_RECOVERER_UNFIT', detail)
    if (VOID.has(state)) throw new PalisadeError('ERR_AUDIT_RECOVERY_VOID', detail)
    throw error
  }
}

const endValues = ({ epoch, size, root }: LogEnd) => [epoch, size, Buffer.from(root)]

const endOf = (epoch: number | null, size: string | null) =>
  epoch === null || size === null ? null : { epoch, size: Number(size) }
