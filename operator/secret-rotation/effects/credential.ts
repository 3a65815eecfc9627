import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { ANNOTATION_RESYNC_FENCE } from '#api/v1alpha1/names'
import { canonicalJson } from '#core/canonical-json'
import { generatePassword } from '#core/password'
import { PalisadeError } from '#core/problem'
import { scramSha256Verifier } from '#core/scram'
import { Sealed } from '#core/sealed'
import type { Deps, Fence, FencedOutcome } from '../../ports.ts'
import { ENROL_JOB, enrolCommand } from '../enrolment.ts'
import type { Observed } from '../observed.ts'
import { leakToken } from '../rules/overlap.ts'
import { requestToken } from '../rules/begin.ts'
import { ownerText, type RotationReason, type StateRecord } from '../state.ts'
import { effect } from './effect.ts'
import { flightOf, flightWith, record, type Outcome } from './record.ts'

export const fenceOf = (state: StateRecord, role: string): Fence => ({
  owner: ownerText(state.owner),
  expected: state.fences[role] ?? 0,
  next: state.seq,
})

/** What to remember once the backend has accepted that fence. */
export const accepted = (state: StateRecord, role: string, fence: Fence) => ({
  fences: { ...state.fences, [role]: fence.next },
})

/** Names what a person sees, so that what is asked for is what was seen and fits nothing later. */
export const resyncToken = (standsAt: number, { seq }: StateRecord): string => `${standsAt}:${seq}`

export function staleFence(
  standsAt: number | undefined,
  role: string,
  state: StateRecord,
): PalisadeError {
  const expected = state.fences[role] ?? 0
  const detail =
    standsAt === undefined
      ? `the backend has seen a newer step for role "${role}"`
      : `the fence of role "${role}" stands at ${standsAt}, the record expects ${expected}`
  if (standsAt === undefined || standsAt === expected)
    return new PalisadeError('ERR_STALE_FENCE', detail)
  const { namespace, name } = state.owner
  const command = `kubectl -n ${namespace} annotate --overwrite srot ${name} ${ANNOTATION_RESYNC_FENCE}=${resyncToken(standsAt, state)}`
  return new PalisadeError('ERR_STALE_FENCE', detail, {
    remedy: `if the database or the store was restored from a copy: ${command}`,
  })
}

/** The database does not say which it is: a pair that went, or one that belongs to another namespace. */
function notEnrolled(role: string, { claim, owner }: StateRecord): PalisadeError {
  const detail = `role "${role}" is not enrolled for namespace "${owner.namespace}"`
  const remedy = `if it is enrolled for no other: ${enrolCommand(claim, owner.namespace)} (${ENROL_JOB}); otherwise name users of this namespace in a new resource`
  return new PalisadeError('ERR_NOT_ENROLLED', detail, { remedy })
}

/** A refusal that no repetition mends: the caller's reading is old, or the pair belongs to somebody else. */
export function insist(outcome: FencedOutcome, role: string, state: StateRecord): void {
  switch (outcome.kind) {
    case 'done':
      return
    case 'stale':
      throw staleFence(outcome.standsAt, role, state)
    case 'claimedByOther':
      throw new PalisadeError('ERR_CLAIMED_BY_OTHER', `role "${role}" belongs to another resource`)
    case 'notEnrolled':
      throw notEnrolled(role, state)
  }
}

/** The intent comes before the value exists anywhere else; until publication it is in this record alone. */
export function begin(
  deps: Deps,
  seen: Observed,
  why: RotationReason,
  role: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const { value: state } = seen.state
  const version = (state.current?.version ?? 0) + 1
  const token = requestToken(seen)
  const leak = leakToken(seen.rotation)
  const rotation = {
    id: randomUUID(),
    version,
    role,
    reason: why,
    step: 'setVerifier' as const,
    startedAt: deps.clock.now().toISOString(),
    specDigest: createHash('sha256').update(canonicalJson(seen.rotation.spec)).digest('hex'),
    pending: generatePassword(),
  }
  const handled = {
    ...(token === undefined ? {} : { lastHandledRotateNow: token }),
    ...(leak === undefined ? {} : { lastHandledLeak: leak }),
  }
  const details = { reason: why, version, role }
  return record(
    deps,
    seen.state,
    { rotation, ...handled },
    { action: 'rotation.begin', details },
    signal,
  )
}

/** What travels is a verifier: it proves the password and lets nobody log in. */
export async function setVerifier(
  deps: Deps,
  seen: Observed,
  signal: AbortSignal,
): Promise<Outcome> {
  const { value: state } = seen.state
  const { role, pending } = flightOf(state)
  if (pending === undefined) throw new Error('the intent carries no value')
  const verifier = scramSha256Verifier(pending, { salt: randomBytes(16) })
  const fence = fenceOf(state, role)
  insist(
    await effect(deps, 'setVerifier', () => seen.database.setVerifier(role, fence, verifier)),
    role,
    state,
  )
  const rotation = flightWith(state, { step: 'testLogin' })
  return record(deps, seen.state, { rotation, ...accepted(state, role, fence) }, undefined, signal)
}

export async function testLogin(deps: Deps, seen: Observed, signal: AbortSignal): Promise<Outcome> {
  const { value: state } = seen.state
  const { role, pending, refusals = 0 } = flightOf(state)
  const password = Sealed.of(pending ?? '')
  const { database } = seen.address
  const login = await effect(deps, 'testLogin', () =>
    seen.database.tryLogin(role, password, database),
  )
  if (login === 'accepted') {
    return record(
      deps,
      seen.state,
      { rotation: flightWith(state, { step: 'publishValue' }) },
      undefined,
      signal,
    )
  }
  // A value that was refused is never tried again; nothing of it was published.
  const fresh = {
    pending: generatePassword(),
    step: 'setVerifier' as const,
    refusals: refusals + 1,
  }
  const outcome = await record(
    deps,
    seen.state,
    { rotation: flightWith(state, fresh) },
    undefined,
    signal,
  )
  if (outcome.kind === 'stale') return outcome
  const times = refusals === 0 ? 'once' : `${refusals + 1} times`
  throw new PalisadeError(
    'ERR_NEW_VALUE_REFUSED',
    `role "${role}" was refused with its new value ${times}`,
  )
}
