import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { GatewayMetrics } from '../gateway/observe/metrics.ts'
import { SealerMetrics } from '../gateway/sealer/metrics.ts'
import { createRotationMetrics } from '../operator/rotation-metrics.ts'
import { createMetrics } from '../operator/runtime/metrics.ts'
import { runbookUrl } from './alert.ts'
import { CASES } from './alert-cases.ts'
import { alertGroups, ALERTS } from './alerts.ts'
import { metricsIn } from './metrics-in.ts'

const ROOT = join(import.meta.dirname, '..')
const NAMES = ALERTS.map(({ name }) => name)

function operatorRegistry(): Registry {
  const { registry } = createMetrics()
  createRotationMetrics(registry)
  return registry
}

/** Names that a program's registry answers with, histograms by their three series. */
async function exported(registry: Registry): Promise<string[]> {
  const metrics = await registry.getMetricsAsJSON()
  return metrics.flatMap(({ name, type }) =>
    String(type) === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  )
}

/** Of others: what we rely on, each by the exporter that makes it. */
const OTHERS = {
  Prometheus: ['up'],
  'cert-manager': [
    'certmanager_certificate_expiration_timestamp_seconds',
    'certmanager_certificate_renewal_timestamp_seconds',
  ],
  CloudNativePG: ['cnpg_collector_up', 'cnpg_backends_total', 'cnpg_pg_settings_setting'],
}

describe('alerts', () => {
  it('have a name each', () => {
    expect(new Set(NAMES).size).toBe(NAMES.length)
  })

  it('have a case in which they fire and one in which they are silent', () => {
    expect(Object.keys(CASES).sort()).toEqual(NAMES.filter((n) => n !== 'DeadMansSwitch').sort())
  })

  it('name only metrics that somebody exports', async () => {
    const registries = [
      new GatewayMetrics().registry,
      new SealerMetrics().registry,
      operatorRegistry(),
    ]
    const known = new Set([
      ...(await Promise.all(registries.map(exported))).flat(),
      ...Object.values(OTHERS).flat(),
    ])
    const unknown = ALERTS.flatMap(({ name, expr }) =>
      metricsIn(expr)
        .filter((metric) => !known.has(metric))
        .map((metric) => `${name} names ${metric}`),
    )
    expect(unknown).toEqual([])
  })

  it('link to the published pages when told where they are', () => {
    const [first] = alertGroups('https://runbooks.example.org')
    expect(first?.rules[0]?.annotations.runbook_url).toBe(
      'https://runbooks.example.org/GatewayDown.md',
    )
  })
})

describe('metricsIn', () => {
  it('finds the metrics of an expression and neither its functions, labels, texts nor ranges', () => {
    const expr =
      'sum by (pod) (rate(a_total{job="b_total",reason!~"c|d"}[5m])) / on (pod) e{name="f"} > 0.8 or absent(g) offset 5m'
    expect(metricsIn(expr)).toEqual(['a_total', 'e', 'g'])
  })
})

describe('runbooks', () => {
  const pages = readdirSync(join(ROOT, 'docs/runbooks')).filter((file) => file !== 'README.md')

  it('exist for each alert, and for nothing else', () => {
    expect(pages.sort()).toEqual(NAMES.map((name) => `${name}.md`).sort())
  })

  it.each(ALERTS.map((alert) => [alert.name, alert] as const))(
    '%s says meaning, impact, diagnosis and mitigation',
    (name, alert) => {
      const text = readFileSync(join(ROOT, runbookUrl(alert)), 'utf8')
      const headings = [...text.matchAll(/^(#+ .*)$/gm)].map(([, heading]) => heading)
      expect(headings).toEqual([
        `# ${name}`,
        '## Meaning',
        '## Impact',
        '## Diagnosis',
        '## Mitigation',
      ])
      const sections = text.split(/^## .*$/m).slice(1)
      expect(sections.filter((section) => section.trim().length < 40)).toEqual([])
    },
  )
})
