import { ANNOTATION_RESYNC_FENCE } from '#api/v1alpha1/names'
import type { Deps, FenceStanding, LoginOutcome, StoredValue, Versioned } from '../ports.ts'
import type { Claimant } from './claimant.ts'
import { tryCurrentLogin } from './current-login.ts'
import { accepted, fenceOf, insist, resyncToken } from './effects/credential.ts'
import { effect } from './effects/effect.ts'
import { record } from './effects/record.ts'
import { ownerText, type StateRecord } from './state.ts'

/**
 * Beyond every number that may have been given out and was lost with the restored part: between two fenced steps the
 * record counts on by itself.
 */
const MARGIN = 10_000

/**
 * Takes a person's word that database or store were restored: database and record go on from beyond both. The word
 * names the two numbers that the person saw, so it fits once and never again. False when it does not fit.
 */
export async function resync(
  by: Claimant,
  state: Versioned<StateRecord>,
  value: StoredValue | undefined,
  deps: Deps,
  signal: AbortSignal,
): Promise<boolean> {
  if (state.value.resyncing) {
    await raiseNext(by, state, deps, signal)
    return true
  }
  const token = by.rotation.metadata.annotations?.[ANNOTATION_RESYNC_FENCE]
  if (token === undefined || !token.endsWith(`:${state.value.seq}`)) return false
  const { roles } = state.value.claim
  const standing = await by.database.standing(roles[0])
  if (!standing || !fits(token, state.value, standing)) return false
  const login = await effect(deps, 'testLogin', () => tryCurrentLogin(by, value))
  const seq = Math.max(...Object.values(standing.seqs), state.value.seq) + MARGIN
  const from = { ...state, value: { ...state.value, seq } }
  const change = {
    ...inFlightAfter(state.value, login),
    fences: standing.seqs,
    resyncing: roles,
    // The Secret may carry a number that the restored record has not given out yet.
    secretSeq: seq,
  }
  const note = {
    action: 'rotation.claim' as const,
    details: { cause: 'FenceResynced', roles: roles.join(',') },
  }
  await record(deps, from, change, note, signal)
  deps.events.record(by.rotation, {
    type: 'Warning',
    reason: 'FenceResynced',
    action: 'Resync',
    note: `The fence goes on from ${seq}, as asked by ${ANNOTATION_RESYNC_FENCE}`,
  })
  return true
}

function fits(token: string, state: StateRecord, { owner, seqs }: FenceStanding): boolean {
  if (owner !== null && owner !== ownerText(state.owner)) return false
  return state.claim.roles.some((role) => {
    const standsAt = seqs[role]
    return (
      standsAt !== undefined &&
      standsAt !== (state.fences[role] ?? 0) &&
      token === resyncToken(standsAt, state)
    )
  })
}

/** Raised at once in the backend as well: a step from before the restore might fit what stands there now. */
async function raiseNext(
  by: Claimant,
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const [role, ...left] = state.value.resyncing ?? []
  if (role === undefined) return
  const fence = fenceOf(state.value, role)
  const outcome = await effect(deps, 'resyncFence', () => by.database.resync(role, fence))
  insist(outcome, role, state.value)
  const change = {
    ...accepted(state.value, role, fence),
    resyncing: left.length > 0 ? left : undefined,
  }
  await record(deps, state, change, undefined, signal)
}

/**
 * What was about to be set is set again. What was published goes on only while it opens: otherwise retiring the
 * previous user would shut everybody out, and the rule for a refused value takes over.
 */
function inFlightAfter(
  { rotation, previous }: StateRecord,
  login: LoginOutcome | undefined,
): Pick<StateRecord, 'rotation' | 'previous'> {
  if (rotation?.pending !== undefined)
    return { rotation: { ...rotation, step: 'setVerifier' }, previous }
  if (login === 'refused') return { rotation: null, previous: null }
  return { rotation, previous }
}
