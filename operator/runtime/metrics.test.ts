import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

const valueOf = async (metrics: ReturnType<typeof createMetrics>, name: string) =>
  (await metrics.registry.getSingleMetric(name)?.get())?.values.map(({ value }) => value)

describe('createMetrics', () => {
  it('says of a replica that never led that it does not lead', async () => {
    expect(await valueOf(createMetrics(), 'leader_election_master_status')).toEqual([0])
  })

  it('counts no failure from the first pass on, so that a rate sees the first one', async () => {
    const metrics = createMetrics()
    metrics.reconciled('secretrotation', 'success', 0.1)
    expect(await valueOf(metrics, 'controller_runtime_reconcile_errors_total')).toEqual([0])
    metrics.reconciled('secretrotation', 'error', 0.1)
    expect(await valueOf(metrics, 'controller_runtime_reconcile_errors_total')).toEqual([1])
  })
})
