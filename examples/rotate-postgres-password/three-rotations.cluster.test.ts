import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'
import { kubectl, kubectlJson } from '../../test/support/cluster.ts'
import { keepRetired } from '../../test/support/retired-values.ts'
import { type FollowedLog, followServerLog, isRefusal } from '../../test/support/server-log.ts'

const run = promisify(execFile)
const CONSUMERS = ['deployment/web', 'statefulset/ledger', 'deployment/report']

const rotation = () => kubectlJson<SecretRotation>('-n', 'shop', 'get', 'srot', 'orders-db')

async function settled(beyond: number): Promise<number> {
  const end = Date.now() + 300_000
  for (;;) {
    const { status } = await rotation()
    if ((status?.version ?? 0) > beyond && status?.step === 'Idle') return status.version ?? 0
    if (Date.now() > end) throw new Error(`not settled: ${JSON.stringify(status, null, 1)}`)
    await sleep(1_000)
  }
}

async function credential(): Promise<{ username: string; password: string }> {
  const { data } = await kubectlJson<{ data: Record<string, string> }>(
    ...['-n', 'shop', 'get', 'secret', 'orders-db'],
  )
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString()
  return { username: text('username'), password: text('password') }
}

/** A login from where the consumers stand, with what the network lets them reach. */
async function loginFromWeb(username: string, password: string): Promise<string> {
  const script = `
    import pg from 'pg'
    import { credential } from '/opt/palisade/example/config.ts'
    let text = ''
    for await (const chunk of process.stdin) text += chunk
    const { user, password } = JSON.parse(text)
    const client = new pg.Client({ ...credential(), user, password })
    client.on('error', () => undefined)
    client.connect().then(() => 'accepted', (error) => error.code).then((word) => {
      console.log(word)
      process.exit(0)
    })`
  const node = ['node', '--input-type=module', '-e', script]
  const exec = ['-n', 'shop', 'exec', '-i', 'deployment/web', '--', ...node]
  // By standard input: arguments stand in the process list of the node.
  const child = run(await toolPath('kubectl'), ['--kubeconfig', kubeconfigPath(), ...exec])
  child.child.stdin?.end(JSON.stringify({ user: username, password }))
  return (await child).stdout.trim()
}

const amend = (spec: object) =>
  kubectl(
    '-n',
    'shop',
    'patch',
    'srot',
    'orders-db',
    '--type=merge',
    '-p',
    JSON.stringify({ spec }),
  )

/** The walk-through waits so that one can watch; here the three restart side by side. Their own start-up stays. */
const IN_A_HURRY = {
  overlap: { min: '2s', quiet: '2s' },
  consumers: { restart: { maxConcurrent: 3, coalesce: '0s' } },
}

let asWritten: object | undefined
let refusals: FollowedLog
beforeAll(async () => {
  await run(process.execPath, [join(import.meta.dirname, 'apply.ts')])
  const { overlap, consumers } = (await rotation()).spec
  asWritten = { overlap, consumers }
  await amend(IN_A_HURRY)
  await settled(0)
  for (const consumer of CONSUMERS) {
    await kubectl('-n', 'shop', 'rollout', 'status', consumer, '--timeout=180s')
  }
  refusals = await followServerLog(
    (record) => isRefusal(record) && record.user_name?.startsWith('shop_orders') === true,
  )
})

afterAll(async () => {
  refusals?.stop()
  if (asWritten) await amend(asWritten)
})

describe('three rotations under three consumers', () => {
  it('refuse not one login in the log of the server, and shut the old passwords out', async () => {
    const startedAt = new Date().toISOString()
    const old: { username: string; password: string }[] = []
    let version = (await rotation()).status?.version ?? 0
    for (const turn of ['one', 'two', 'three']) {
      const retired = await credential()
      old.push(retired)
      await keepRetired({ name: `Secret shop/orders-db retired, ${turn}`, text: retired.password })
      const token = `palisade.dev/rotate-now=${turn}-${startedAt.replaceAll(':', '-')}`
      await kubectl('-n', 'shop', 'annotate', '--overwrite', 'srot', 'orders-db', token)
      version = await settled(version)
    }
    expect(refusals.records()).toEqual([])
    const { username, password } = await credential()
    expect(await loginFromWeb(username, password)).toBe('accepted')
    for (const before of old) {
      expect(await loginFromWeb(before.username, before.password)).toMatch(/^28/)
    }
    // That nothing was refused is worth something only where each refusal shows.
    const shown = () => refusals.records().map(({ user_name: user }) => user)
    await expect.poll(shown, { timeout: 60_000 }).toEqual(old.map(({ username }) => username))
  })
})
