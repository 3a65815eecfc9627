import { describe, expect, it } from 'vitest'
import { ALERTS } from '../../observability/alerts.ts'
import { metricsIn } from '../../observability/promql.ts'
import { kubectl } from '../support/cluster.ts'

const PROMETHEUS =
  '/api/v1/namespaces/palisade-monitoring/services/https:prometheus-operated:9090/proxy/api/v1'
const ALERTMANAGER =
  '/api/v1/namespaces/palisade-monitoring/services/https:alertmanager-operated:9093/proxy/api/v2'

const get = async <T>(path: string): Promise<T> =>
  JSON.parse(await kubectl('get', '--raw', path)) as T
const ask = async <T>(path: string): Promise<T> =>
  (await get<{ readonly data: T }>(PROMETHEUS + path)).data

/** Two scrapes and an evaluation are a minute at most. */
const EVENTUALLY = { timeout: 90_000, interval: 2_000 }

interface Target {
  readonly health: string
  readonly scrapeUrl: string
  readonly lastError: string
  readonly labels: { readonly job: string }
}
interface Rule {
  readonly name: string
  readonly query: string
  readonly health: string
  readonly state: string
}

const METRICS = [...new Set(ALERTS.flatMap(({ expr }) => metricsIn(expr)))].filter(
  // Counted by endpoint, so it has no series before somebody was refused.
  (metric) => metric !== 'rate_limit_exceeded_total',
)

describe('Prometheus', () => {
  it('reaches the gateway, the operator, the sealer and the database over TLS', async () => {
    const targets = async () =>
      (await ask<{ activeTargets: Target[] }>('/targets?state=active')).activeTargets
    // Of one that has just started nothing is known, and of one that was just replaced the worst.
    const lost = async () => (await targets()).filter(({ health }) => health !== 'up')
    await expect.poll(lost, EVENTUALLY).toEqual([])
    const ours = (await targets()).filter(({ labels }) => labels.job !== 'cert-manager')
    expect(ours.filter(({ scrapeUrl }) => !scrapeUrl.startsWith('https://'))).toEqual([])
    expect([...new Set(ours.map(({ labels }) => labels.job))].sort()).toEqual([
      'database',
      'gateway',
      'operator',
      'sealer',
    ])
  })

  it('has loaded each alert, and none fails to evaluate', async () => {
    const loaded = async () => {
      const { groups } = await ask<{ groups: { rules: Rule[] }[] }>('/rules')
      return groups.flatMap((group) => group.rules)
    }
    const names = async () => (await loaded()).map(({ name }) => name).sort()
    // The kubelet hands a changed file over within two minutes.
    await expect
      .poll(names, { timeout: 150_000, interval: 2_000 })
      .toEqual(ALERTS.map(({ name }) => name).sort())
    const unwell = async () => (await loaded()).filter(({ health }) => health !== 'ok')
    await expect.poll(unwell, EVENTUALLY).toEqual([])
  })

  it.each(METRICS)('has series of %s', async (metric) => {
    const query = encodeURIComponent(`count(${metric})`)
    const found = async () => (await ask<{ result: unknown[] }>(`/query?query=${query}`)).result
    await expect.poll(found, EVENTUALLY).toHaveLength(1)
  })
})

describe('Alertmanager', () => {
  it('gets what fires', async () => {
    const received = async () => {
      const alerts = await get<{ labels: { alertname: string } }[]>(`${ALERTMANAGER}/alerts`)
      return alerts.map(({ labels }) => labels.alertname)
    }
    // A Prometheus that has just started tells it within a minute.
    await expect.poll(received, { timeout: 90_000, interval: 2_000 }).toContain('DeadMansSwitch')
  })
})
