import { isDeepStrictEqual } from 'node:util'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { Deps } from '../ports.ts'
import { Controller, type ControllerMetrics } from '../runtime/controller.ts'
import type { Change, ObjectStore } from '../runtime/object-store.ts'
import { keyOf, parseKey } from '../runtime/types.ts'
import { reconcile } from './reconcile.ts'
import type { Turns } from './turns.ts'

export function createRotationController(
  deps: Deps,
  options: { readonly concurrency: number; readonly metrics?: ControllerMetrics },
): Controller {
  const controller = new Controller({
    name: 'secretrotation',
    reconcile: (key, signal) => {
      const failpoint: Deps['failpoint'] = (name) => deps.failpoint(name, key)
      return reconcile(parseKey(key), { ...deps, failpoint }, signal)
    },
    concurrency: options.concurrency,
    deadlineMs: 60_000,
    log: deps.log,
    ...(options.metrics ? { metrics: options.metrics } : {}),
  })
  // What was taken leaves the record in a pass, so that nothing but passes writes records.
  deps.deliveries?.onTaken((key) => controller.queue.add(keyOf(key), 'routine'))
  deps.turns.onTurn((key) => controller.queue.add(keyOf(key)))
  return controller
}

/** A resource that has never been looked at goes first; our own status writes are no news. */
export function onRotationChange(
  { queue }: Controller,
  turns: Turns,
  change: Change<SecretRotation>,
): void {
  const key = keyOf(change.object.metadata)
  if (change.type === 'deleted') turns.forget(parseKey(key))
  else turns.learn(change.object)
  switch (change.type) {
    case 'added':
      queue.add(key, change.object.status?.conditions ? 'routine' : 'urgent')
      return
    case 'modified':
      if (asksForSomething(change.before, change.object)) queue.add(key, 'urgent')
      return
    case 'deleted':
      queue.add(key, 'routine')
      return
  }
}

function asksForSomething(before: SecretRotation, now: SecretRotation): boolean {
  const wishes = ({ metadata }: SecretRotation) => [
    metadata.uid,
    metadata.generation,
    metadata.deletionTimestamp,
    metadata.annotations,
  ]
  return !isDeepStrictEqual(wishes(before), wishes(now))
}

/** What a backend allows has changed, so everything that names it is judged again. */
export function onBackendChange(
  { queue }: Controller,
  rotations: ObjectStore<SecretRotation>,
  change: Change<RotationBackend>,
): void {
  const sameSpec =
    change.type === 'modified' &&
    change.before.metadata.generation === change.object.metadata.generation
  if (sameSpec) return
  for (const rotation of rotations.values()) {
    const name = rotation.spec.source.postgresRole?.connectionRef.name
    if (name === change.object.metadata.name) queue.add(keyOf(rotation.metadata), 'routine')
  }
}
