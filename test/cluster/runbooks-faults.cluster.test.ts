import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rule } from '../../observability/alert.ts'
import { ALERTS } from '../../observability/alerts.ts'
import { apply, kubectl } from '../support/cluster.ts'
import { asAuditor } from '../support/database.ts'
import { openPrometheus, type Prometheus } from '../support/prometheus.ts'
import { runbookCommands, runCommand } from '../support/runbook-commands.ts'

interface Fault {
  /** Brings about what the alert is about. */
  readonly provoke: () => Promise<unknown>
  /** First command of the page's diagnosis, and what it shows under this fault. */
  readonly shows: RegExp
}

const SYSTEM = ['-n', 'palisade-system']
const scaleDown = (name: string) => () =>
  kubectl(...SYSTEM, 'scale', 'deploy', name, '--replicas=0')
const STOLEN = { spec: { holderIdentity: 'nobody', leaseDurationSeconds: 3_600 } }

/** A session through a tunnel, which is how somebody with rights in the cluster would come. */
const openTunnel = () =>
  new Promise<void>((connected, failed) => {
    asAuditor(async (url) => {
      const client = new pg.Client(url)
      client.on('error', () => undefined)
      await client.connect()
      connected()
      await once(client, 'end')
    }).catch(failed)
  })

/** Faults that do not hide one another, so that all are there at a time. */
const FAULTS: Readonly<Record<string, Fault>> = {
  GatewayDown: { provoke: scaleDown('gateway'), shows: /gateway +0\/0/ },
  AuditSealLag: { provoke: scaleDown('sealer'), shows: /sealer +0\/0/ },
  OperatorNotLeading: {
    provoke: () =>
      kubectl(
        ...[...SYSTEM, 'patch', 'lease', 'palisade-operator', '--type=merge'],
        ...['-p', JSON.stringify(STOLEN)],
      ),
    shows: /^nobody /,
  },
  DatabaseConnectionFromOutside: {
    provoke: openTunnel,
    shows: /test_auditor_\w+ *\| (127\.0\.0\.1|::1)/,
  },
}
const NAMES = Object.keys(FAULTS)
const MONITORING = ['-n', 'palisade-monitoring']
const COPY = 'runbook-faults'

/** The same conditions, without the wait that spares people a page about a restart. */
const copies = () => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: COPY, namespace: 'palisade-monitoring' },
  spec: {
    groups: [
      {
        name: COPY,
        interval: '5s',
        rules: ALERTS.filter(({ name }) => NAMES.includes(name)).map((alert) => {
          const { labels, ...same } = rule({ ...alert, for: '0s' })
          return { ...same, labels: { ...labels, copy: COPY } }
        }),
      },
    ],
  },
})

let prometheus: Prometheus
let mended = false
beforeAll(async () => {
  prometheus = await openPrometheus()
  // What went while Prometheus was away looks alive to it for five minutes.
  await until('what went is forgotten', nothingIsRemembered, 330_000)
  await apply(JSON.stringify(copies()))
  await until('the rules are read', async () => {
    await readRulesNow()
    const { length } = await prometheus.rules(COPY)
    return length === NAMES.length
  })
})
afterAll(async () => {
  if (!mended) await Promise.all(NAMES.map(mitigate))
  await kubectl(...MONITORING, 'delete', 'prometheusrule', COPY, '--ignore-not-found')
  await readRulesNow()
  await prometheus?.close()
})

/** A Pod that changes gets its mounted files at once, where the kubelet else takes a minute or more. */
const readRulesNow = () =>
  kubectl(
    ...[...MONITORING, 'annotate', '--overwrite', 'pod', 'prometheus-palisade-0'],
    `palisade.dev/rules-read=${Date.now()}`,
  )

async function until(what: string, holds: () => Promise<boolean>, within = 180_000): Promise<void> {
  const end = Date.now() + within
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`after ${within / 1000} s it is not so that ${what}`)
    await sleep(2_000)
  }
}

async function nothingIsRemembered(): Promise<boolean> {
  const former = await prometheus.query(
    'timestamp(up{job=~"gateway|sealer|operator"}) < time() - 60',
  )
  return former.length === 0
}

async function firing(): Promise<string[]> {
  const alerts = await prometheus.alerts()
  return alerts
    .filter(({ labels, state }) => labels['copy'] === COPY && state === 'firing')
    .map(({ labels }) => labels['alertname'] ?? '')
    .sort()
}

const commandsOf = (name: string, section: 'Diagnosis' | 'Mitigation') =>
  runbookCommands().filter((command) => command.page === name && command.section === section)

async function mitigate(name: string): Promise<void> {
  for (const { text } of commandsOf(name, 'Mitigation')) {
    const { code, stderr } = await runCommand(text, tmpdir())
    expect(code, `${text}: ${stderr}`).toBe(0)
  }
}

describe('under its own fault', () => {
  it('no alert fires before', async () => {
    expect(await firing()).toEqual([])
  })

  it('each alert fires', async () => {
    await Promise.all(Object.values(FAULTS).map(({ provoke }) => provoke()))
    await expect.poll(firing, { timeout: 180_000, interval: 2_000 }).toEqual([...NAMES].sort())
  })

  it.each(Object.entries(FAULTS))('the page of %s shows the fault', async (name, { shows }) => {
    const [first] = commandsOf(name, 'Diagnosis')
    const { code, stdout } = await runCommand(first?.text ?? '', tmpdir())
    expect(code).toBe(0)
    expect(stdout).toMatch(shows)
  })

  it('what the pages say to do ends every alert', async () => {
    await Promise.all(NAMES.map(mitigate))
    mended = true
    await expect.poll(firing, { timeout: 180_000, interval: 2_000 }).toEqual([])
  })
})
