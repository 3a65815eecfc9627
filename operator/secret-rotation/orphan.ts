import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { PalisadeError } from '#core/problem'
import type { Deps, Versioned } from '../ports.ts'
import { entomb, recordToRelease, releasePath, type Because } from './give-back.ts'
import { ownerOf } from './claimant.ts'
import { ownerText, type StateRecord } from './state.ts'

/**
 * A credential that could not be given back, told to whoever may still find it: as an event, and as tombstone and
 * audit entry where the store answers. `again` when the record is another one than what was judged.
 */
export async function orphan(
  rotation: SecretRotation,
  judged: Versioned<StateRecord> | undefined,
  because: Because,
  deps: Deps,
  signal: AbortSignal,
): Promise<'told' | 'again'> {
  const owner = ownerText(ownerOf(rotation, deps.cluster))
  const written = await entombOrphan(rotation, judged, because, deps, signal)
  if (written === 'stale') return 'again'
  const { name, namespace } = rotation.metadata
  const store = written === 'written' ? '' : '; the store did not answer either'
  const note = `Released without its backend: ${because.detail}${store}. Its users stay as they are, claimed by ${owner}`
  deps.events.record(rotation, { type: 'Warning', reason: 'Orphaned', action: 'Release', note })
  deps.log.warn({ namespace, rotation: name, cause: because.cause }, 'Released an orphan')
  return 'told'
}

/** Only of the record that was judged: one that was written meanwhile says that somebody else could go on. */
async function entombOrphan(
  rotation: SecretRotation,
  judged: Versioned<StateRecord> | undefined,
  { cause, policy }: Because,
  deps: Deps,
  signal: AbortSignal,
): Promise<'written' | 'unwritten' | 'stale'> {
  try {
    const state = await recordToRelease(rotation, deps, signal)
    if (state?.cas !== judged?.cas) return 'stale'
    if (!state) return 'written'
    await tolerate(() => releasePath(rotation, state.value, deps, signal))
    const action = policy === 'Abandoned' ? 'rotation.abandon' : 'rotation.orphan'
    const [first, second] = state.value.claim.roles
    const details = {
      policy,
      cause,
      backend: state.value.claim.backend,
      roles: `${first},${second}`,
    }
    const done = await entomb(withInterrupted(state), policy, { action, details }, deps, signal)
    return done ? 'written' : 'stale'
  } catch (error) {
    if (!(error instanceof PalisadeError)) throw error
    return 'unwritten'
  }
}

/** Whoever takes the users over has to retire what this rotation has set; the value itself goes with it. */
function withInterrupted(state: Versioned<StateRecord>): Versioned<StateRecord> {
  if (!state.value.rotation) return state
  const { pending: _pending, ...interrupted } = state.value.rotation
  return { ...state, value: { ...state.value, interrupted } }
}

/** A namespace that was closed takes its path along; the record is the operator's own, and can be written. */
async function tolerate(act: () => Promise<void>): Promise<void> {
  await act().catch((error: unknown) => {
    if (!(error instanceof PalisadeError)) throw error
  })
}
