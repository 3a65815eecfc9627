import type { IngestDetails } from '#api/rest/audit-ingest'
import type { Deps, Versioned } from '../../ports.ts'
import { enqueue, type AuditAction } from '../audit-outbox.ts'
import type { InFlight, StateRecord } from '../state.ts'
import { effect } from './effect.ts'

/** What a pass came to. `stale`: another replica went on meanwhile, and what we saw no longer holds. */
export type Outcome =
  { readonly kind: 'done'; readonly state: Versioned<StateRecord> } | { readonly kind: 'stale' }

export interface Note {
  readonly action: AuditAction
  readonly details: IngestDetails
}

/** Moves the record on by compare-and-set, under a number that was never used before. */
export async function record(
  deps: Deps,
  from: Versioned<StateRecord>,
  change: Partial<Omit<StateRecord, 'seq' | 'outbox' | 'format'>>,
  note: Note | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const before = from.value
  const seq = before.seq + 1
  const rotationId = (change.rotation ?? before.rotation)?.id ?? 'none'
  const at = deps.clock.now().toISOString()
  const outbox = note ? enqueue(before.outbox, { ...note, rotationId, seq, at }) : before.outbox
  const next: StateRecord = { ...before, ...change, seq, outbox }
  const key = { namespace: before.owner.namespace, name: before.owner.name }
  const written = await effect(deps, 'recordState', () =>
    deps.states.write(key, next, from.cas, signal),
  )
  return written.kind === 'stale'
    ? { kind: 'stale' }
    : { kind: 'done', state: { value: next, cas: written.cas } }
}

/** The running rotation with some of it changed; a rotation that is not there is a programming error. */
export function flightWith(state: StateRecord, change: Partial<InFlight>): InFlight {
  if (!state.rotation) throw new Error('no rotation is running')
  return { ...state.rotation, ...change }
}

export function flightOf(state: StateRecord): InFlight {
  return flightWith(state, {})
}
