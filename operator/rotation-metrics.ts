import { Gauge, type Registry } from 'prom-client'
import type { RotationMetrics } from './ports.ts'
import type { ObjectKey } from './runtime/types.ts'

/** What an alert needs to know about each rotation; no value and no digest of one. */
export function createRotationMetrics(registry: Registry): RotationMetrics {
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
  const undelivered = gauge(
    'palisade_audit_undelivered_seconds',
    'Age of the oldest audit entry that the gateway has not taken',
  )
  const labels = ({ namespace, name }: ObjectKey) => ({ namespace, name })
  return {
    issued: (key, at) => issued.set(labels(key), at.getTime() / 1000),
    overdue: (key, seconds) => overdue.set(labels(key), seconds),
    stalled: (key, is) => stalled.set(labels(key), is ? 1 : 0),
    undelivered: (key, seconds) => undelivered.set(labels(key), seconds),
    forget(key) {
      for (const each of [issued, overdue, stalled, undelivered]) each.remove(labels(key))
    },
  }
}
