import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createRotationMetrics } from './rotation-metrics.ts'

const key = { namespace: 'shop', name: 'orders' }

function world() {
  let now = new Date('2026-11-21T12:00:00Z')
  const registry = new Registry()
  const metrics = createRotationMetrics(registry, { now: () => now })
  const scrape = async () =>
    (await registry.getSingleMetricAsString('palisade_audit_undelivered_seconds'))
      .split('\n')
      .filter((line) => !line.startsWith('#'))
  return { metrics, scrape, at: (iso: string) => (now = new Date(iso)) }
}

describe('palisade_audit_undelivered_seconds', () => {
  it('grows between passes, since a resource at rest has none for minutes', async () => {
    const { metrics, scrape, at } = world()
    metrics.undelivered(key, new Date('2026-11-21T12:00:00Z'))
    at('2026-11-21T12:06:00Z')
    expect(await scrape()).toEqual([
      'palisade_audit_undelivered_seconds{namespace="shop",name="orders"} 360',
    ])
  })

  it('is 0 when everything is delivered, and has no sample of a resource that is forgotten', async () => {
    const { metrics, scrape } = world()
    metrics.undelivered(key, new Date('2026-11-21T11:00:00Z'))
    metrics.undelivered(key, undefined)
    expect(await scrape()).toEqual([
      'palisade_audit_undelivered_seconds{namespace="shop",name="orders"} 0',
    ])
    metrics.forget(key)
    expect(await scrape()).toEqual([])
  })
})
