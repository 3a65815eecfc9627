import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filled, questions } from '../../observability/dashboards/questions.ts'
import { DASHBOARDS } from '../../observability/dashboards.ts'
import { selectorsIn } from '../../observability/promql.ts'
import { kubectlJson } from '../support/cluster.ts'
import { accessToken, edgeClient } from '../support/edge.ts'
import { openPrometheus, type Prometheus } from '../support/prometheus.ts'

const EXPRESSIONS = [...new Set(questions().map(({ expr }) => filled(expr)))]
const SELECTORS = [
  ...new Set(
    EXPRESSIONS.flatMap(selectorsIn)
      .filter(({ metric }) => metric !== 'ALERTS')
      .map(({ text }) => text),
  ),
]
/** Two scrapes make a rate. */
const UNTIL_SCRAPED = 60_000

let prometheus: Prometheus
let lastLook = 0
beforeAll(async () => {
  prometheus = await openPrometheus()
  await useThePlatform()
  lastLook = Date.now() + UNTIL_SCRAPED
})
afterAll(() => prometheus?.close())

/** What makes the series of use: a secret kept and read, somebody unknown, and more logins than are allowed. */
async function useThePlatform(): Promise<void> {
  const edge = await edgeClient()
  try {
    const token = await accessToken(edge)
    const path = `/api/secrets/seen-${randomUUID().slice(0, 8)}`
    await edge.call(path, { method: 'PUT', token, json: { value: randomUUID() } })
    expect((await edge.call(path, { token })).status).toBe(200)
    expect((await edge.call(path)).status).toBe(401)
    const json = { email: 'nobody@example.com', password: 'x' }
    const logins = await Promise.all(
      Array.from({ length: 8 }, () => edge.call('/api/v1/auth/login', { method: 'POST', json })),
    )
    expect(logins.map(({ status }) => status)).toContain(429)
  } finally {
    await edge.close()
  }
}

/** How many series an expression has, once what was just done can have been scraped. */
async function seriesOf(expr: string): Promise<number> {
  for (;;) {
    const { length } = await prometheus.query(expr)
    if (length > 0 || Date.now() > lastLook) return length
    await sleep(2_000)
  }
}

describe('dashboards', () => {
  it('lie where the Grafana of a cluster looks for them', async () => {
    const { items } = await kubectlJson<{ items: { data: Record<string, string> }[] }>(
      ...['get', 'configmap', '-n', 'palisade-monitoring', '-l', 'grafana_dashboard=1'],
    )
    const uids = items
      .flatMap(({ data }) => Object.values(data))
      .map((text) => (JSON.parse(text) as { uid: string }).uid)
    expect(uids.sort()).toEqual(DASHBOARDS.map(({ uid }) => uid).sort())
  })
})

describe('every query of every panel has a series', () => {
  it.each(EXPRESSIONS)('%s', async (expr) => {
    expect(await seriesOf(expr)).toBeGreaterThan(0)
  })
})

describe('everything that a query reads is measured', () => {
  it.each(SELECTORS)('%s', async (text) => {
    expect(await seriesOf(text)).toBeGreaterThan(0)
  })
})
