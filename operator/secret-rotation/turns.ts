import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import type { Step } from '#api/v1alpha1/secret-rotation-status'
import { keyOf, parseKey, type ObjectKey } from '../runtime/types.ts'

/** Where a rotation stands with its backend; since when it moves, in milliseconds. */
export type TurnStanding =
  | { readonly is: 'moving'; readonly since: number }
  | { readonly is: 'waiting' }
  | { readonly is: 'resting' }

interface Moving {
  readonly backend: string
  readonly since: number
}

/** One that has not come to the end of its way by then waits for somebody, and others need not wait for that. */
const MOVES_AT_MOST_MS = 900_000

const MOVING_STEPS: readonly (Step | undefined)[] = ['Create', 'Set', 'Test', 'Publish', 'Await']

/**
 * Which rotations move at each backend, and which wait for it, first come, first served. One replica leads, so its own
 * passes know it better than any status; status tells it what was on the way when it came to lead.
 */
export class Turns {
  readonly #now: () => number
  readonly #moving = new Map<string, Moving>()
  /** By rotation its backend, in the order of arrival. */
  readonly #line = new Map<string, string>()
  /** Seen by a pass of this process. */
  readonly #passed = new Set<string>()
  #wake: (key: ObjectKey) => void = () => undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** Called for whoever is first in line when it may be its turn. */
  onTurn(wake: (key: ObjectKey) => void): void {
    this.#wake = wake
  }

  /** How many others move at the backend, or wait for it before this one. */
  ahead(rotation: ObjectKey, backend: string): number {
    const key = keyOf(rotation)
    const earliest = this.#now() - MOVES_AT_MOST_MS
    let count = 0
    for (const [other, moving] of this.#moving)
      if (other !== key && moving.backend === backend && moving.since > earliest) count += 1
    for (const [other, its] of this.#line) {
      if (other === key) break
      if (its === backend) count += 1
    }
    return count
  }

  /** What a pass has decided. */
  note(rotation: ObjectKey, backend: string, standing: TurnStanding): void {
    const key = keyOf(rotation)
    this.#passed.add(key)
    if (standing.is === 'moving') this.#moving.set(key, { backend, since: standing.since })
    else this.#stop(key)
    if (standing.is !== 'waiting') this.leave(rotation)
    else if (!this.#line.has(key)) this.#line.set(key, backend)
  }

  /** It does not ask any more, or its pass failed: nobody stands behind one that does not move up. */
  leave(rotation: ObjectKey): void {
    const key = keyOf(rotation)
    const backend = this.#line.get(key)
    if (backend === undefined) return
    this.#line.delete(key)
    this.#callNext(backend)
  }

  /** It is being deleted, or gone. */
  forget(rotation: ObjectKey): void {
    const key = keyOf(rotation)
    this.#stop(key)
    this.leave(rotation)
    this.#passed.delete(key)
  }

  /** What the status says, for one that no pass of this process has seen yet. */
  learn({ metadata, spec, status }: SecretRotation): void {
    const key = keyOf(metadata)
    if (this.#passed.has(key)) return
    const backend = spec.source.postgresRole?.connectionRef.name
    // Its status stays where the rotation stood, and is written again for as long as the release waits.
    const goes = metadata.deletionTimestamp !== undefined
    const since = goes ? undefined : status && movesSince(status)
    if (backend === undefined || since === undefined) this.#moving.delete(key)
    else this.#moving.set(key, { backend, since })
  }

  #stop(key: string): void {
    const moving = this.#moving.get(key)
    if (!moving) return
    this.#moving.delete(key)
    this.#callNext(moving.backend)
  }

  #callNext(backend: string): void {
    for (const [key, its] of this.#line) if (its === backend) return this.#wake(parseKey(key))
  }
}

/** A status shows no version while the first value is on its way, which replaces nothing. */
function movesSince({ step, version, conditions }: SecretRotationStatus): number | undefined {
  if (version === undefined || !MOVING_STEPS.includes(step)) return undefined
  const reconciling = conditions?.find(({ type }) => type === 'Reconciling')
  return reconciling?.status === 'True' ? Date.parse(reconciling.lastTransitionTime) : undefined
}
