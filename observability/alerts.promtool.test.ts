import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { checkRules, failedAlerts } from '../test/support/promtool.ts'
import { type Alert, runbookUrl } from './alert.ts'
import { CASES, HEARTBEAT_CASE, PLACE_EMPTIED, SEALER_GONE } from './alert-cases.ts'
import type { AlertCase } from './alert-cases/alert-case.ts'
import { ENDED_CASES } from './alert-cases/ended.ts'
import { alertGroups, ALERTS } from './alerts.ts'

type Fires = AlertCase['fires']
type Failures = ReadonlyMap<string, string>

const named = (name: string): Alert => {
  const alert = ALERTS.find((each) => each.name === name)
  if (!alert) throw new Error(`there is no alert ${name}`)
  return alert
}

const firing = (alert: Alert, { labels = {}, summary }: Fires) => ({
  exp_labels: { severity: alert.severity, ...labels },
  exp_annotations: { summary, description: alert.description, runbook_url: runbookUrl(alert) },
})
const unitTest = (alert: Alert, given: AlertCase['silent'], alerts: readonly object[]) => ({
  alertname: alert.name,
  test: {
    interval: '15s',
    input_series: Object.entries(given.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [{ eval_time: given.at, alertname: alert.name, exp_alerts: alerts }],
  },
})
type UnitTest = ReturnType<typeof unitTest>

const cases = Object.entries(CASES).map(([name, each]) => ({ alert: named(name), ...each }))
const FIRES = [
  ...cases,
  { alert: named('AuditSealLag'), fires: SEALER_GONE },
  { alert: named('AuditCheckpointMissing'), fires: PLACE_EMPTIED },
  { alert: named('DeadMansSwitch'), fires: HEARTBEAT_CASE },
].map(({ alert, fires }) => unitTest(alert, fires, [firing(alert, fires)]))
const ENDED = Object.entries(ENDED_CASES).map(([name, fires]) =>
  unitTest(named(name), fires, [firing(named(name), fires)]),
)
const SILENT = cases.map(({ alert, silent }) => unitTest(alert, silent, []))
const WRONG = cases.map(({ alert, fires, silent }) =>
  unitTest(alert, silent, [firing(alert, fires)]),
)

const GROUPS = alertGroups({ ownDatabase: true })
let folder = ''
const rulesOf = (alertname: string) => join(folder, `${alertname}.rules.yaml`)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-alerts-'))
  for (const { name, rules } of GROUPS)
    for (const rule of rules)
      await writeFile(rulesOf(rule.alert), stringify({ groups: [{ name, rules: [rule] }] }))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/**
 * Promtool takes seconds to start, so it is asked once for all alerts; and it computes each rule of a file at each
 * moment of each test, so every alert has a file of its own: no rule looks at another.
 */
async function ask(name: string, tests: readonly UnitTest[]): Promise<Failures> {
  const files = Map.groupBy(tests, ({ alertname }) => alertname)
  const paths = await Promise.all(
    [...files].map(async ([alertname, of]) => {
      const path = join(folder, `${name}-${alertname}.yaml`)
      const frame = { rule_files: [rulesOf(alertname)], evaluation_interval: '15s' }
      await writeFile(path, stringify({ ...frame, tests: of.map(({ test }) => test) }))
      return path
    }),
  )
  return failedAlerts(paths)
}

describe('the rules', () => {
  it('are taken by Prometheus as they are applied, all together', async () => {
    const path = join(folder, 'rules.yaml')
    await writeFile(path, stringify({ groups: GROUPS }))
    expect(await checkRules(path)).toContain(`SUCCESS: ${ALERTS.length} rules found`)
  })

  it('name none of the series that a rule makes, so that each can be judged alone', () => {
    expect(GROUPS.flatMap(({ rules }) => rules).filter((rule) => 'record' in rule)).toEqual([])
    expect(ALERTS.filter(({ expr }) => /\bALERTS(_FOR_STATE)?\b/.test(expr))).toEqual([])
  })
})

describe('an alert fires with its words', () => {
  let failures: Failures = new Map()
  beforeAll(async () => void (failures = await ask('fires', FIRES)))
  it.each(ALERTS.map(({ name }) => name))('%s', (name) => {
    expect(failures.get(name)).toBeUndefined()
  })
})

describe('an alert fires a minute later when what it watches simply ends', () => {
  let failures: Failures = new Map()
  beforeAll(async () => void (failures = await ask('ended', ENDED)))
  it.each(Object.keys(ENDED_CASES))('%s', (name) => {
    expect(failures.get(name)).toBeUndefined()
  })

  it('and so does each that counts what is there', () => {
    const counting = ALERTS.filter(({ expr }) => /absent\(|(sum|max)\(.*\) (< 1|== 0)$/.test(expr))
    expect(counting.map(({ name }) => name).sort()).toEqual(Object.keys(ENDED_CASES).sort())
  })
})

describe('an alert is silent about what is nearly as bad', () => {
  let failures: Failures = new Map()
  beforeAll(async () => void (failures = await ask('silent', SILENT)))
  it.each(Object.keys(CASES))('%s', (name) => {
    expect(failures.get(name)).toBeUndefined()
  })
})

describe('this check', () => {
  it('finds each alert that does not fire', async () => {
    const failures = await ask('wrong', WRONG)
    expect([...failures.keys()].sort()).toEqual(Object.keys(CASES).sort())
  })
})
