import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ControllerMetrics } from './controller.ts'
import type { ReflectorMetrics } from './reflector.ts'

export interface RuntimeMetrics extends ControllerMetrics, ReflectorMetrics {
  readonly registry: Registry
  leader(isLeader: boolean): void
}

/** The names of controller-runtime, so that dashboards and alerts made for it work here too. */
export function createMetrics(): RuntimeMetrics {
  const registry = new Registry()
  const registers = [registry]
  // Brings nodejs_eventloop_lag_*: a blocked loop is how a Node operator stalls.
  collectDefaultMetrics({ register: registry })
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Passes by result',
    labelNames: ['controller', 'result'],
    registers,
  })
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Passes that failed',
    labelNames: ['controller'],
    registers,
  })
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Time per pass',
    labelNames: ['controller'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  })
  const depth = new Gauge({
    name: 'workqueue_depth',
    help: 'Keys waiting for a worker',
    labelNames: ['name'],
    registers,
  })
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys put back after a failure',
    labelNames: ['name'],
    registers,
  })
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this replica leads',
    labelNames: ['name'],
    registers,
  })
  const restarts = new Counter({
    name: 'palisade_watch_restarts_total',
    help: 'Watches that had to start again, by cause',
    labelNames: ['resource', 'cause'],
    registers,
  })
  const leads = (isLeader: boolean) => leader.set({ name: 'palisade-operator' }, isLeader ? 1 : 0)
  // Said at once: replicas that wait for a lease that nobody gives back would be silent, and so would the alert.
  leads(false)
  return {
    registry,
    reconciled(controller, result, seconds) {
      total.inc({ controller, result })
      time.observe({ controller }, seconds)
      // From the first pass on, or its first failure would be hidden from every rate.
      errors.inc({ controller }, result === 'error' ? 1 : 0)
    },
    depth: (name, value) => depth.set({ name }, value),
    retried: (name) => retries.inc({ name }),
    restarts: (resource, cause) => restarts.inc({ resource, cause }),
    leader: leads,
  }
}
