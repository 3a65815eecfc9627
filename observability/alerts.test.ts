import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exportedNames } from '../test/support/exported-metrics.ts'
import { runbookUrl } from './alert.ts'
import { CASES } from './alert-cases.ts'
import { alertGroups, ALERTS } from './alerts.ts'
import { metricsIn } from './promql.ts'

const ROOT = join(import.meta.dirname, '..')
const NAMES = ALERTS.map(({ name }) => name)

describe('alerts', () => {
  it('have a name each', () => {
    expect(new Set(NAMES).size).toBe(NAMES.length)
  })

  it('have a case in which they fire and one in which they are silent', () => {
    expect(Object.keys(CASES).sort()).toEqual(NAMES.filter((n) => n !== 'DeadMansSwitch').sort())
  })

  it('name only metrics that somebody exports', async () => {
    const known = await exportedNames()
    const unknown = ALERTS.flatMap(({ name, expr }) =>
      metricsIn(expr)
        .filter((metric) => !known.has(metric))
        .map((metric) => `${name} names ${metric}`),
    )
    expect(unknown).toEqual([])
  })

  it('link to the published pages when told where they are', () => {
    const [first] = alertGroups({ runbooks: 'https://runbooks.example.org', ownDatabase: true })
    expect(first?.rules[0]?.annotations.runbook_url).toBe(
      'https://runbooks.example.org/GatewayDown.md',
    )
  })

  it("leave out what the exporter of our own database tells where the database is somebody else's", () => {
    const named = (ownDatabase: boolean) =>
      alertGroups({ ownDatabase }).flatMap(({ rules }) => rules.map(({ alert }) => alert))
    const elsewhere = named(false)
    expect(named(true).filter((name) => !elsewhere.includes(name))).toEqual([
      'DatabaseDown',
      'DatabaseConnectionFromOutside',
      'DatabaseConnectionsNearLimit',
    ])
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
      const headings = [...text.matchAll(/^(##? .*)$/gm)].map(([, heading]) => heading)
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
