import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { positionOf } from '../../gateway/sealer/progress.ts'
import { ALERTS } from '../../observability/alerts.ts'
import { changeRecord, newestSuccess, putBack, stateOf } from '../support/changed-record.ts'
import { apply, kubectl } from '../support/cluster.ts'
import { psql } from '../support/database.ts'
import { accessToken, edgeClient, type EdgeClient } from '../support/edge.ts'
import { forward, type Forward } from '../support/forward.ts'
import { takeLogOut } from '../support/log-taken-out.ts'
import { openPrometheus, type Prometheus } from '../support/prometheus.ts'
import { commandsOf, runCommand } from '../support/runbook-commands.ts'
import { openVault, type Vault } from '../support/vault.ts'

/** Two scrapes are half a minute; a loaded machine may take three times as long. */
const EVENTUALLY = { timeout: 90_000, interval: 500 }

let folder = ''
let edge: EdgeClient
let vault: Vault
let prometheus: Prometheus
let tunnel: Forward
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-runbooks-'))
  ;[edge, vault, prometheus, tunnel] = await Promise.all([
    edgeClient(),
    openVault(),
    openPrometheus(),
    // The second terminal of docs/runbooks/README.md.
    forward('palisade-monitoring', 'svc/prometheus-operated', 9090, 9090),
  ])
  // Something has succeeded, and its gateway has written its line: a platform may have been started a moment ago.
  await accessToken(edge)
})
afterAll(async () => {
  tunnel?.stop()
  await Promise.all([edge?.close(), vault?.close(), prometheus?.close()])
  await rm(folder, { recursive: true, force: true })
})

type Page = 'AuditChainBroken' | 'AuditCheckpointMissing'
const diagnosisOf = (page: Page) => commandsOf(page, 'Diagnosis').map(({ text }) => text)

/** What a command of a page prints; a page that is mistaken about its commands ends here. */
async function run(text: string | undefined): Promise<string> {
  const { code, stdout, stderr } = await runCommand(text ?? 'false', folder)
  expect(code, `${text}: ${stderr}`).toBe(0)
  return stdout
}

/** The one command that holds this text. */
async function mitigate(page: Page, part: string, fill = (text: string) => text): Promise<string> {
  const found = commandsOf(page, 'Mitigation').filter(({ text }) => text.includes(part))
  expect(found, part).toHaveLength(1)
  return run(fill(found[0]?.text ?? ''))
}

/** Of the rule as it stands; how long it has to hold before somebody is woken is the same for all, and promtool's. */
const exprOf = (name: Page) => ALERTS.find((alert) => alert.name === name)?.expr ?? ''
const isTrue = async (expr: string) => (await prometheus.query(expr)).length > 0

describe('AuditChainBroken, when a sealed record was changed', () => {
  const VERIFY = 'SIGHUP'
  const VERDICT = 'Verified the audit log'
  let changed: Awaited<ReturnType<typeof newestSuccess>> | undefined
  let isBack = false
  afterAll(async () => {
    if (!changed || isBack) return
    await putBack(changed)
    await mitigate('AuditChainBroken', VERIFY)
  })

  it('is told by the sealer as soon as it is asked to look', async () => {
    expect(await isTrue(exprOf('AuditChainBroken'))).toBe(false)
    await expect.poll(newestSuccess, EVENTUALLY).toBeDefined()
    changed = await newestSuccess()
    await changeRecord(changed)
    await mitigate('AuditChainBroken', VERIFY)
    const seen = () => mitigate('AuditChainBroken', VERDICT)
    await expect.poll(seen, EVENTUALLY).toContain('The audit log does not hold')
  })

  it('is named by the diagnosis: which record, and what was done to it', async () => {
    const { id = '', place = '' } = changed ?? {}
    const [readyz, , finding] = await Promise.all(
      diagnosisOf('AuditChainBroken').slice(0, 3).map(run),
    )
    expect(readyz).toContain('{"ok":true,"reason":"sealing"}')
    expect(finding).toContain(`"code":"RecordEdited"`)
    expect(finding).toMatch(new RegExp(`"where":"${place}(\\.\\.\\d+)?"`))
    const taken = await takeLogOut(folder)
    expect(taken.stderr).toBe('')
    const edited = taken.stdout.split('\n').filter((line) => line.includes('RecordEdited at '))
    expect(edited).toEqual([expect.stringContaining(`RecordEdited at ${place}: `)])
    expect(edited[0]).toContain(`record ${id} `)
    expect(taken.stdout).toContain('The audit log is broken')
    expect(taken.code).toBe(3)
    expect(taken.logins).toEqual([])
  })

  it('raises its alert', async () => {
    await expect.poll(() => isTrue(exprOf('AuditChainBroken')), EVENTUALLY).toBe(true)
  })

  it('is over when the bytes that were sealed are put back, and only these are taken', async () => {
    const { id = '', record = '', mac = '', digest = '' } = changed ?? {}
    const fill = (bytes: string) => (text: string) =>
      text.replaceAll('<id>', id).replaceAll('<record>', bytes).replaceAll('<mac>', mac)
    const other = Buffer.from('{}').toString('base64')
    expect(await mitigate('AuditChainBroken', '<record>', fill(other))).toContain('UPDATE 0')
    expect(await mitigate('AuditChainBroken', '<record>', fill(record))).toContain('UPDATE 1')
    expect(await stateOf({ ...changed!, id })).toEqual({
      digest,
      guards: ['only_grows A', 'only_what_was_cut A'],
    })
    isBack = true
    await mitigate('AuditChainBroken', VERIFY)
    const seen = () => mitigate('AuditChainBroken', VERDICT)
    await expect.poll(seen, EVENTUALLY).toContain(VERDICT)
  })
})

describe('AuditCheckpointMissing, when the sealer does not reach the secret store', () => {
  const POLICY = 'in-sealer-to-openbao'
  const WAY = ['-n', 'palisade-vault', 'networkpolicy', POLICY] as const
  /** What is connected stays so; the sealer leaves a connection that it has not used for four seconds. */
  const IDLE_MS = 6_000
  /** A record that cannot be signed waits five seconds for an answer; one that can is sealed by then. */
  const GIVEN_UP_MS = 5_500
  const read = async () =>
    JSON.parse(await kubectl('get', ...WAY, '-o', 'json')) as {
      metadata: { labels?: object }
      spec: object
    }
  let policy: Awaited<ReturnType<typeof read>> | undefined
  let before = 0
  let cutAt = 0
  let isMended = false
  afterAll(async () => {
    if (!policy || isMended) return
    const metadata = { namespace: 'palisade-vault', name: POLICY }
    const kind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }
    await apply(JSON.stringify({ ...kind, metadata, spec: policy.spec }))
  })

  /** How many records the newest checkpoint covers that lies in the secret store. */
  async function covered(): Promise<number> {
    const token = await vault.loginAs('sealer', 'palisade-sealer')
    const found = await vault.call(token, 'GET', 'platform/data/audit/checkpoint')
    return positionOf((found?.['data'] as { note: string }).note).size
  }

  const waiting = () => psql('select record_id from palisade.audit_pending')

  it('is told by the log of the sealer with the next record', async () => {
    before = await covered()
    policy = await read()
    await kubectl('delete', ...WAY)
    cutAt = Date.now()
    const [, search] = diagnosisOf('AuditCheckpointMissing')
    const since = async () => {
      const { stdout } = await runCommand(search ?? 'false', folder)
      const lines = stdout.split('\n').filter((line) => line !== '')
      const told = lines.map((line) => JSON.parse(line) as { time: string; reason: string })
      return told.filter(({ time }) => Date.parse(time) > cutAt).map(({ reason }) => reason)
    }
    const toldOfNext = async () => {
      await sleep(IDLE_MS)
      await accessToken(edge)
      await sleep(GIVEN_UP_MS)
      return since()
    }
    await expect.poll(toldOfNext, EVENTUALLY).toContain('Vault cannot be reached')
  })

  it('is shown by the diagnosis: the place and since when, a store that is well, and no way to it', async () => {
    const [age, , health, policies, ends, where] = await Promise.all(
      diagnosisOf('AuditCheckpointMissing').map(run),
    )
    const { data } = JSON.parse(age ?? '') as {
      data: { result: { metric: { sink: string }; value: [number, string] }[] }
    }
    const ages = data.result.map(({ metric, value }) => [metric.sink, Number(value[1]) > 10])
    expect(ages).toEqual([['vault', true]])
    expect(health).toContain('"sealed":false')
    expect(policies).not.toContain(POLICY)
    expect(policies).toContain('in-gateway-to-openbao')
    expect(ends).toMatch(/To Port: 8200\/TCP/)
    expect(where).toMatch(/PALISADE_VAULT_ADDR: +https:\/\/openbao\.palisade-vault\.svc/)
  })

  it('is over when the page is followed: what waited is sealed, and the store learns of it', async () => {
    await mitigate('AuditCheckpointMissing', POLICY)
    expect((await read()).spec).toEqual(policy?.spec)
    isMended = true
    await expect.poll(covered, EVENTUALLY).toBeGreaterThan(before)
    await expect.poll(waiting, EVENTUALLY).toEqual([])
  })

  it('was seen by the rate that its alert judges, which is above its threshold after a minute or two', async () => {
    const expr = exprOf('AuditCheckpointMissing').replace('> 0.02', '> 0')
    expect(expr).not.toBe(exprOf('AuditCheckpointMissing'))
    await expect.poll(() => isTrue(expr), EVENTUALLY).toBe(true)
  })
})

describe('the platform afterwards', () => {
  it('has a log that holds, as its alert says', async () => {
    await expect.poll(() => isTrue(exprOf('AuditChainBroken')), EVENTUALLY).toBe(false)
  })
})
