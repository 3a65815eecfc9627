import type { Registry } from 'prom-client'
import { GatewayMetrics } from '../../gateway/observe/metrics.ts'
import { SealerMetrics } from '../../gateway/sealer/metrics.ts'
import { createRotationMetrics } from '../../operator/rotation-metrics.ts'
import { createMetrics } from '../../operator/runtime/metrics.ts'

/** What our programs measure, each with what it would answer to a scrape. */
export function ownRegistries(): Readonly<Record<'gateway' | 'sealer' | 'operator', Registry>> {
  const { registry: operator } = createMetrics()
  createRotationMetrics(operator)
  return {
    gateway: new GatewayMetrics().registry,
    sealer: new SealerMetrics().registry,
    operator,
  }
}

/** Of others: what we rely on, each by the exporter that makes it. */
const OTHERS = {
  Prometheus: ['up', 'ALERTS'],
  'cert-manager': [
    'certmanager_certificate_expiration_timestamp_seconds',
    'certmanager_certificate_renewal_timestamp_seconds',
  ],
  CloudNativePG: [
    'cnpg_backends_max_tx_duration_seconds',
    'cnpg_backends_total',
    'cnpg_collector_pg_wal',
    'cnpg_collector_up',
    'cnpg_palisade_outside_connections',
    'cnpg_pg_database_size_bytes',
    'cnpg_pg_database_xid_age',
    'cnpg_pg_settings_setting',
    'cnpg_pg_stat_database_deadlocks',
    'cnpg_pg_stat_database_xact_commit',
    'cnpg_pg_stat_database_xact_rollback',
  ],
}

/** Names that a program's registry answers with, histograms by their three series. */
async function namesOf(registry: Registry): Promise<string[]> {
  const metrics = await registry.getMetricsAsJSON()
  return metrics.flatMap(({ name, type }) =>
    String(type) === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  )
}

/** Every metric that a query may name. */
export async function exportedNames(): Promise<ReadonlySet<string>> {
  const own = await Promise.all(Object.values(ownRegistries()).map(namesOf))
  return new Set([...own.flat(), ...Object.values(OTHERS).flat()])
}
