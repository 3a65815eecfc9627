import { Gauge, type Registry } from 'prom-client'
import { systemClock, type Clock } from '#core/clock'
import type { RotationMetrics } from './ports.ts'
import { keyOf, type ObjectKey } from './runtime/types.ts'

/** What an alert needs to know about each rotation; no value and no digest of one. */
export function createRotationMetrics(registry: Registry, clock = systemClock): RotationMetrics {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['namespace', 'name'], registers: [registry] })
  const issued = gauge(
    'palisade_rotation_last_success_timestamp_seconds',
    'When the current version was published',
  )
  const overdue = gauge(
    'palisade_rotation_overdue_seconds',
    'How long the next rotation has been due',
  )
  const stalled = gauge('palisade_rotation_stalled', '1 while waiting alone cannot mend it')
  const undelivered = createUndelivered(registry, clock)
  const blind = gauge(
    'palisade_rotation_refusals_unseen',
    '1 while a disabled user is watched and its refused logins cannot be read',
  )
  const labels = ({ namespace, name }: ObjectKey) => ({ namespace, name })
  return {
    issued: (key, at) => issued.set(labels(key), at.getTime() / 1000),
    overdue: (key, seconds) => overdue.set(labels(key), seconds),
    stalled: (key, is) => stalled.set(labels(key), is ? 1 : 0),
    undelivered: undelivered.since,
    blind: (key, is) => blind.set(labels(key), is ? 1 : 0),
    forget(key) {
      for (const each of [issued, overdue, stalled, blind]) each.remove(labels(key))
      undelivered.forget(key)
    },
  }
}

/** Read when somebody scrapes: a resource at rest has no pass for minutes, and its entry grows old all the same. */
function createUndelivered(registry: Registry, clock: Clock) {
  const oldest = new Map<string, { readonly key: ObjectKey; readonly at: Date | undefined }>()
  new Gauge({
    name: 'palisade_audit_undelivered_seconds',
    help: 'Age of the oldest audit entry that the gateway has not taken',
    labelNames: ['namespace', 'name'],
    registers: [registry],
    collect() {
      this.reset()
      const now = clock.now().getTime()
      for (const { key, at } of oldest.values()) {
        const { namespace, name } = key
        this.set({ namespace, name }, at ? Math.max(0, (now - at.getTime()) / 1000) : 0)
      }
    },
  })
  return {
    since: (key: ObjectKey, at: Date | undefined): void => void oldest.set(keyOf(key), { key, at }),
    forget: (key: ObjectKey): void => void oldest.delete(keyOf(key)),
  }
}
