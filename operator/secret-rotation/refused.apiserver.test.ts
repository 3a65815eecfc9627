import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveLogsOf, type Kubelet } from '../../test/support/fake-kubelet.ts'
import { startOperator, type OperatorProcess } from '../../test/support/operator-process.ts'
import { secretRotation } from '../../test/support/rotation-objects.ts'
import { RotationView } from '../../test/support/rotation-view.ts'
import {
  ROTATIONS,
  startRotationWorld,
  type RotationWorld,
} from '../../test/support/rotation-world.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/data'
const LABELS = { 'example.com/server': 'main' }

let world: RotationWorld
let operator: OperatorProcess
let kubelet: Kubelet
const output = () => operator.output()

/** What the platform team gives: the way to the logs of its own database, in that namespace and nowhere else. */
async function mayReadLogs(): Promise<void> {
  const group = 'rbac.authorization.k8s.io'
  const metadata = { name: 'database-logs', namespace: 'data' }
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  ]
  const role = { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules }
  await world.api.apply(role, `${RBAC}/roles`)
  const binding = {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: group, kind: 'Role', name: 'database-logs' },
    subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: 'palisade-system' }],
  }
  await world.api.apply(binding, `${RBAC}/rolebindings`)
  const serverLogs = { namespace: 'data', podSelector: { matchLabels: LABELS }, container: 'pg' }
  const backend = `${ROTATIONS}/rotationbackends/main`
  const instances = { host: world.db.host, port: world.db.port }
  world.api.expectOk(await world.api.mergePatch(backend, { spec: { serverLogs, instances } }))
}

beforeAll(async () => {
  world = await startRotationWorld()
  await world.enable('shop')
  await world.api.namespace('data')
  await mayReadLogs()
  const pod = { namespace: 'data', name: 'db-1', labels: LABELS, container: 'pg' }
  const file = (name: string) => join(world.files.tlsDir, name)
  const tls = { cert: file('tls.crt'), key: file('tls.key') }
  kubelet = await serveLogsOf(world.api, pod, tls, () => world.db.log())
  operator = await startOperator(world, 'one')
})
afterAll(async () => {
  await operator?.stop()
  await kubelet?.stop()
  await world?.stop()
})

/** Version 2 is published, and the user of version 1 is disabled and watched. */
async function watched(name: string, overlap: { min: string; quiet?: string }) {
  await world.enrol('shop', `shop_${name}`)
  const view = new RotationView(world, name)
  await view.create(secretRotation(name, `shop_${name}`, { overlap }))
  await view.settled(1, output)
  const { username = '', password = '' } = await view.secret()
  await view.rotateNow('now')
  await view.until(({ step }) => step === 'Watch', output)
  return { view, username, password }
}

// Each waits through times of its own: they do it together.
describe.concurrent('a client that still holds the value of a disabled user', () => {
  it('is let in again, named in the status, and waited for', async () => {
    const { view, username, password } = await watched('knock', { min: '10m', quiet: '3s' })
    expect(await view.login(username, password)).toBe('28000')
    const { status } = await view.reason('PreviousUserRefused', output)
    expect(status?.previous).toMatchObject({
      user: username,
      state: 'Valid',
      holders: [{ address: '127.0.0.1', sessions: 0, refused: 1 }],
    })
    expect(await view.login(username, password)).toBe('shop_knock')
    // It came once more while it was welcome, which is no reason to let it in again.
    await view.until(({ step }) => step === 'Watch', output)
    expect((await view.state()).rotation?.refused?.times).toBe(1)
    const events = await world.api.get('/apis/events.k8s.io/v1/namespaces/shop/events')
    for (const sink of [output(), JSON.stringify(events.body), JSON.stringify(await view.read())])
      expect(sink).not.toContain('not permitted')
  })

  it('is not believed with a wrong value, which letting it in would not help', async () => {
    const { view, username } = await watched('guess', { min: '4s' })
    expect(await view.login(username, 'a guess')).toBe('28P01')
    await view.settled(2, output)
  })

  it('stays out while the user is watched because its value leaked', async () => {
    const { view, username, password } = await watched('leak', { min: '10m' })
    await view.annotate({ 'palisade.dev/leaked': 'pasted' })
    expect(await view.login(username, password)).toMatch(/^28/)
    await view.settled(3, output)
    expect(await view.login(username, password)).toMatch(/^28/)
  })
})

describe('a log that cannot be read', () => {
  it('is told in a condition and holds nothing up', async () => {
    kubelet.goDeaf()
    const { view } = await watched('deaf', { min: '4s' })
    const { status } = await view.reason('ServerLogsUnreadable', output)
    const unseen = status?.conditions?.find(({ type }) => type === 'RefusalsUnseen')
    expect(unseen).toMatchObject({ status: 'True', message: 'the log of db-1 cannot be read' })
    const { status: after } = await view.settled(2, output)
    expect(after?.conditions?.some(({ type }) => type === 'RefusalsUnseen')).toBe(false)
  })
})
