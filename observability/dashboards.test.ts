import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { describe, expect, it } from 'vitest'
import { exportedNames } from '../test/support/exported-metrics.ts'
import { ALERTS } from './alerts.ts'
import { dashboardFiles } from './dashboard-files.ts'
import { render } from './dashboards/dashboard.ts'
import { filled, panelsOf, queriesOf, questions } from './dashboards/questions.ts'
import { DASHBOARDS } from './dashboards.ts'
import { errorsIn, metricsIn, selectorsIn } from './promql.ts'

const ROOT = join(import.meta.dirname, '..')
const QUESTIONS = questions()
const PANELS = DASHBOARDS.map(render).flatMap((dashboard) =>
  panelsOf(dashboard).map((panel) => [`${dashboard.uid}: ${panel.title}`, panel] as const),
)
const SELECTORS = QUESTIONS.flatMap(({ dashboard, panel, expr }) =>
  selectorsIn(filled(expr)).map((selector) => [`${dashboard}: ${panel}`, selector] as const),
)

/** Names of alerts whose runbook page a panel links, its tiles included. */
function linkedAlerts({ links = [], fieldConfig }: Panel): string[] {
  const ofTiles = (fieldConfig?.overrides ?? [])
    .flatMap(({ properties }) => properties)
    .filter(({ id }) => id === 'links')
    .flatMap(({ value }) => value as { url: string }[])
  return [...links, ...ofTiles].map(
    ({ url }) => /^\$\{runbooks\}\/(\w+)\.md$/.exec(url ?? '')?.[1] ?? `no page: ${url}`,
  )
}

const redSteps = ({ fieldConfig }: Panel): number[] =>
  (fieldConfig?.defaults.thresholds?.steps ?? []).flatMap(({ value }) => value ?? [])

const named = (name: string | undefined) => {
  const alert = ALERTS.find((each) => each.name === name)
  if (!alert) throw new Error(`there is no alert ${name}`)
  return alert
}
const reads = (panel: Panel, { expr }: { readonly expr: string }) =>
  queriesOf(panel).some((query) =>
    metricsIn(filled(query.expr)).some((metric) => metricsIn(expr).includes(metric)),
  )

const aboutOneAlert = (panel: Panel) =>
  panel.links?.length === 1 &&
  redSteps(panel).length > 0 &&
  reads(panel, named(linkedAlerts(panel)[0]))

const numbersComparedIn = (expr: string) => (expr.match(/(?<=[<>] )[\d.]+/g) ?? []).map(Number)

describe('dashboards', () => {
  it('have an address each that Grafana accepts', () => {
    const uids = DASHBOARDS.map(({ uid }) => uid)
    expect(new Set(uids).size).toBe(uids.length)
    expect(uids.filter((uid) => !/^palisade-[a-z]{1,30}$/.test(uid))).toEqual([])
  })

  it('are all written, and nothing else is', () => {
    const files = readdirSync(join(ROOT, 'observability/dashboards/json'))
    expect(files.sort()).toEqual(DASHBOARDS.map(({ uid }) => `${uid}.json`).sort())
  })

  it.each(DASHBOARDS.map((wish) => [wish.uid, render(wish)] as const))(
    '%s uses each of its variables, and no other',
    (_, { templating, ...rest }) => {
      const known = (templating?.list ?? []).map(({ name }) => name)
      const used = JSON.stringify(rest).match(/(?<=\$\{?)(?!__)\w+/g) ?? []
      expect([...new Set(used)].sort()).toEqual(known.sort())
    },
  )

  it.each(DASHBOARDS.map((wish) => [wish.uid, render(wish)] as const))(
    '%s has no panel upon another',
    (_, { panels = [] }) => {
      const cells = panels.flatMap(({ gridPos }) => {
        const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {}
        return Array.from({ length: w * h }, (__, i) => `${x + (i % w)}|${y + Math.floor(i / w)}`)
      })
      expect(new Set(cells).size).toBe(cells.length)
      expect(cells.filter((cell) => Number(cell.split('|')[0]) >= 24)).toEqual([])
    },
  )

  it('link to the published pages when told where they are', () => {
    for (const text of Object.values(dashboardFiles('https://runbooks.example.org'))) {
      const { templating } = JSON.parse(text) as ReturnType<typeof render>
      const [pages] = (templating?.list ?? []).filter(({ name }) => name === 'runbooks')
      expect([pages?.query, pages?.current?.value]).toEqual(
        Array(2).fill('https://runbooks.example.org'),
      )
    }
  })

  it('show each alert beside what it is about', () => {
    const shown = (alert: (typeof ALERTS)[number]) =>
      PANELS.some(([, panel]) => linkedAlerts(panel).includes(alert.name) && reads(panel, alert))
    // The heartbeat is about nothing that could be drawn.
    const missing = ALERTS.filter((one) => one.name !== 'DeadMansSwitch' && !shown(one))
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  it('show the state of every alert', () => {
    const states = QUESTIONS.flatMap(({ expr }) => selectorsIn(filled(expr)))
      .filter(({ metric }) => metric === 'ALERTS')
      .map(({ labels }) => labels['alertname'])
    expect([...new Set(states)].sort()).toEqual(ALERTS.map(({ name }) => name).sort())
  })
})

describe('panels', () => {
  it.each(PANELS)('%s says what it tells, in a unit, from the chosen source', (_, panel) => {
    expect(panel.title).toMatch(/^[A-Z]/)
    expect(panel.description ?? '').toMatch(/^[A-Z0-9].{30,}\.$/)
    expect(panel.fieldConfig?.defaults.unit).toMatch(/\w/)
    const sources = [panel.datasource, ...queriesOf(panel).map(({ datasource }) => datasource)]
    for (const source of sources) expect(source?.uid).toBe('${datasource}')
    expect(queriesOf(panel).length).toBeGreaterThan(0)
    expect(queriesOf(panel).filter(({ legendFormat }) => !legendFormat)).toEqual([])
  })

  it.each(PANELS)('%s leads to pages that exist', (_, panel) => {
    const missing = linkedAlerts(panel).filter(
      (name) => !existsSync(join(ROOT, 'docs/runbooks', `${name}.md`)),
    )
    expect(missing).toEqual([])
  })

  it.each(
    PANELS.flatMap(([name, panel]) => (aboutOneAlert(panel) ? [[name, panel] as const] : [])),
  )('%s turns red where its alert fires', (_, panel) => {
    const { expr } = named(linkedAlerts(panel)[0])
    // What must not be 0 or absent fires where its count falls below one.
    const limits = /absent\(\(?(up|cnpg)|== 0$/.test(expr) ? [1] : numbersComparedIn(expr)
    expect(limits).toEqual(expect.arrayContaining(redSteps(panel)))
  })
})

describe('queries', () => {
  it('are PromQL', () => {
    expect(QUESTIONS.flatMap(({ expr }) => errorsIn(filled(expr)))).toEqual([])
  })

  it('name only metrics that somebody exports', async () => {
    const known = await exportedNames()
    const unknown = SELECTORS.filter(([, { metric }]) => !known.has(metric))
    expect(unknown.map(([where, { metric }]) => `${where} names ${metric}`)).toEqual([])
  })

  it('name the program that they ask about', () => {
    const without = SELECTORS.filter(
      ([, { metric, labels }]) => metric !== 'ALERTS' && labels['job'] === undefined,
    )
    expect(without).toEqual([])
  })

  it('name no instance, no address and no pod', () => {
    const fixed = SELECTORS.filter(
      ([, { labels, text }]) =>
        'instance' in labels || /\d+\.\d+\.\d+\.\d+/.test(text) || (labels['pod'] ?? '.*') !== '.*',
    )
    expect(fixed).toEqual([])
  })

  it('take a counter only as a rate', () => {
    const bare = SELECTORS.filter(
      ([, { metric, within }]) =>
        /_(total|bucket|sum|count)$/.test(metric) &&
        // A number of connections at this moment, whatever it is called.
        metric !== 'cnpg_backends_total' &&
        !within.some((name) => name === 'rate' || name === 'increase'),
    )
    expect(bare).toEqual([])
  })
})

describe('the checks of queries', () => {
  it('find what is no PromQL', () => {
    expect(errorsIn('sum(rate(a_total[5m])')).not.toEqual([])
    expect(errorsIn('sum by (x) (rate(a_total{b="c"}[5m]))')).toEqual([])
  })

  it('find selectors with their labels and functions', () => {
    expect(selectorsIn('sum(rate(a_total{b="c",d=~"e|f"}[5m])) / g')).toEqual([
      {
        metric: 'a_total',
        labels: { b: 'c', d: 'e|f' },
        text: 'a_total{b="c",d=~"e|f"}',
        within: ['rate'],
      },
      { metric: 'g', labels: {}, text: 'g', within: [] },
    ])
  })

  it('find metrics and neither functions, labels, texts nor ranges', () => {
    const expr =
      'sum by (pod) (rate(a_total{job="b_total",reason!~"c|d"}[5m])) / on (pod) e{name="f"} > 0.8 or absent(g offset 5m)'
    expect(metricsIn(expr)).toEqual(['a_total', 'e', 'g'])
  })
})
