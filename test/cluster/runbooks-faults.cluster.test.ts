import { once } from 'node:events'
import { tmpdir } from 'node:os'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubectl } from '../support/cluster.ts'
import { asAuditor } from '../support/database.ts'
import { openPrometheus, type Prometheus } from '../support/prometheus.ts'
import { type Command, commandsOf, runCommand } from '../support/runbook-commands.ts'

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
/** Two scrapes and two evaluations are a minute; a loaded machine may take three times as long. */
const EVENTUALLY = { timeout: 180_000, interval: 1_000 }

let prometheus: Prometheus
let mended = false
beforeAll(async () => void (prometheus = await openPrometheus()))
afterAll(async () => {
  if (!mended) await Promise.all(NAMES.map(mitigate))
  await prometheus?.close()
})

/**
 * What the installed rules see at this moment. Most alerts are pending for a minute or two, which spares people a
 * page about a restart; that they fire after it is the same for all and shown by promtool.
 */
async function raised(): Promise<string[]> {
  const alerts = await prometheus.alerts()
  const names = alerts.map(({ labels }) => labels['alertname'] ?? '')
  return NAMES.filter((name) => names.includes(name)).sort()
}

async function firing(): Promise<string[]> {
  const alerts = await prometheus.alerts()
  return alerts
    .filter(({ state }) => state === 'firing')
    .map(({ labels }) => labels['alertname'] ?? '')
}

/** `<pod>` is the one that the alert names. */
async function filledIn({ page, text }: Command): Promise<string> {
  if (!text.includes('<pod>')) return text
  const alerts = await prometheus.alerts()
  const pod = alerts.find(({ labels }) => labels['alertname'] === page)?.labels['pod']
  return text.replaceAll('<pod>', pod ?? 'the-alert-names-none')
}

async function mitigate(name: string): Promise<void> {
  for (const command of commandsOf(name, 'Mitigation')) {
    const text = await filledIn(command)
    const { code, stderr } = await runCommand(text, tmpdir())
    expect(code, `${text}: ${stderr}`).toBe(0)
  }
}

describe('under its own fault', () => {
  it('no alert is raised before', async () => {
    await expect.poll(raised, EVENTUALLY).toEqual([])
  })

  it('each alert is raised, and at once fires the one that waits for nothing', async () => {
    await Promise.all(Object.values(FAULTS).map(({ provoke }) => provoke()))
    await expect.poll(raised, EVENTUALLY).toEqual([...NAMES].sort())
    expect(await firing()).toContain('DatabaseConnectionFromOutside')
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
    await expect.poll(raised, EVENTUALLY).toEqual([])
  })
})
