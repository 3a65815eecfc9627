import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'
import { API_PATH } from './definitions.ts'

let api: TestApiServer
beforeAll(async () => {
  api = await startApiServer()
  await api.installCrds()
  await api.namespace('shop')
}, 120_000)
afterAll(() => api?.stop())

type Fields = Record<string, unknown>
const object = (kind: string, name: string, spec: Fields) => ({
  apiVersion: 'palisade.dev/v1alpha1',
  kind,
  metadata: { name },
  spec,
})

const ROLES = {
  connectionRef: { name: 'orders' },
  roles: ['shop_orders_a', 'shop_orders_b'],
  memberOf: 'shop_orders',
}
const rotation = (change: Fields = {}) => ({
  source: { postgresRole: ROLES },
  store: { path: 'orders/db' },
  secret: { name: 'orders-db' },
  schedule: { every: '720h' },
  ...change,
})
const grant = (change: Fields = {}) => ({
  subject: { serviceAccount: { name: 'triage' } },
  target: { server: 'github', tools: ['search_issues', 'get_file'] },
  reason: 'triage bot',
  duration: '8h',
  ...change,
})
const backend = (change: Fields = {}) => ({
  kind: 'Postgres',
  endpoint: { host: 'palisade-db-rw.palisade-data.svc', port: 5432, database: 'palisade' },
  credential: {
    clientCertificate: { user: 'palisade_operator', secretName: 'postgres-client-operator-tls' },
  },
  allowedNamespaces: { matchLabels: { 'palisade.dev/enabled': 'true' } },
  names: ['{namespace}_*'],
  ...change,
})

const ROTATIONS = `${API_PATH}/namespaces/shop/secretrotations`
const GRANTS = `${API_PATH}/namespaces/shop/mcpgrants`
const BACKENDS = `${API_PATH}/rotationbackends`
const STRICT = '?fieldValidation=Strict'

const make =
  (collection: string, kind: string) =>
  async (spec: Fields, name = 'try') => {
    const answer = await api.post(`${collection}${STRICT}&dryRun=All`, object(kind, name, spec))
    return { status: answer.status, message: answer.message, spec: answer.body['spec'] as Fields }
  }
const makeRotation = make(ROTATIONS, 'SecretRotation')
const makeGrant = make(GRANTS, 'McpGrant')
const makeBackend = make(BACKENDS, 'RotationBackend')

describe('SecretRotation', () => {
  it('needs source, store, secret and schedule alone, and shows every default in the spec', async () => {
    const made = await makeRotation(rotation())
    expect(made.message).toBe('')
    expect(made.spec).toMatchObject({
      overlap: { min: '10m', max: '24h', quiet: '2m', onMax: 'Hold' },
      schedule: { every: '720h', timeZone: 'UTC', jitter: '0s' },
      secret: { previous: 'Omit', template: { type: 'Opaque' } },
      consumers: {
        discover: 'ByReference',
        restart: { maxConcurrent: 1, timeout: '10m', coalesce: '30s' },
      },
      suspend: false,
      deletionPolicy: 'Retain',
    })
    expect(made.spec).not.toHaveProperty('onUnhealthy')
  })

  it.each<[string, Fields]>([
    [
      'everything that can be said',
      {
        secret: {
          name: 'orders-db',
          previous: 'Include',
          template: {
            type: 'Opaque',
            labels: { team: 'shop' },
            annotations: { note: 'n' },
            data: { url: '{{uri}}' },
          },
        },
        schedule: {
          cron: '0 3 * * 1',
          timeZone: 'Europe/Vienna',
          jitter: '10m',
          windows: [{ start: '0 2 * * *', duration: '3h' }],
        },
        overlap: { min: '5m', max: '12h', quiet: '1m', onMax: 'Revoke' },
        consumers: {
          discover: 'Off',
          extra: [{ kind: 'StatefulSet', name: 'ledger', evidence: 'Acknowledged' }],
          restart: { maxConcurrent: 3, timeout: '15m', coalesce: '1m' },
        },
        onUnhealthy: 'RollBack',
        policyRef: { name: 'office-hours' },
        suspend: true,
        deletionPolicy: 'Revoke',
      },
    ],
    [
      'a Redis user',
      { source: { redisUser: { connectionRef: { name: 'redis' }, user: 'shop:orders' } } },
    ],
    ['a generated value', { source: { generated: {} } }],
    ['a key pair', { source: { keyPair: { algorithm: 'ES256' } } }],
    [
      'a static role of Vault',
      { source: { vaultStaticRole: { connectionRef: { name: 'vault' }, role: 'orders' } } },
    ],
    [
      'an API key of the gateway',
      {
        source: {
          gatewayApiKey: {
            connectionRef: { name: 'gateway' },
            name: 'ci',
            scopes: ['secrets:read'],
          },
        },
      },
    ],
    [
      'a single role, which has nothing to roll back to',
      {
        source: { postgresRole: { connectionRef: { name: 'orders' }, roles: ['shop_orders'] } },
        onUnhealthy: 'Hold',
      },
    ],
    ['exactly twice overlap.max', { schedule: { every: '1h' }, overlap: { max: '30m' } }],
    ['the shortest interval', { schedule: { every: '1m' }, overlap: { min: '0s', max: '30s' } }],
  ])('takes %s', async (_, change) => {
    const made = await makeRotation(rotation(change))
    expect(made.message).toBe('')
    expect(made.status).toBe(201)
  })

  it.each<[string, Fields, ...string[]]>([
    [
      'two sources',
      { source: { postgresRole: ROLES, generated: {} } },
      'spec.source',
      'set exactly one of postgresRole, redisUser',
    ],
    ['no source', { source: {} }, 'spec.source', 'set exactly one of'],
    ['an unknown source', { source: { mysqlRole: {} } }, 'unknown field "spec.source.mysqlRole"'],
    ['an unknown field', { retries: 3 }, 'unknown field "spec.retries"'],
    ['".." in store.path', { store: { path: '../platform/keys' } }, 'spec.store.path', '".."'],
    ['".." as last part', { store: { path: 'orders/..' } }, 'spec.store.path', '".."'],
    ['an empty part in store.path', { store: { path: 'orders//db' } }, 'spec.store.path', 'empty'],
    ['a trailing slash in store.path', { store: { path: 'orders/' } }, 'spec.store.path', 'empty'],
    ['an absolute store.path', { store: { path: '/orders' } }, 'spec.store.path', 'is relative'],
    ['a wildcard in store.path', { store: { path: 'orders/*' } }, 'spec.store.path', 'wildcards'],
    ['"+" in store.path', { store: { path: '+/db' } }, 'spec.store.path', 'wildcards'],
    ['an encoded slash', { store: { path: 'a%2f..%2fb' } }, 'spec.store.path', 'use letters'],
    ['neither every nor cron', { schedule: {} }, 'spec.schedule', 'exactly one of every and cron'],
    [
      'both every and cron',
      { schedule: { every: '720h', cron: '0 3 * * 1' } },
      'spec.schedule',
      'exactly one of every and cron',
    ],
    [
      'every below twice overlap.max',
      { schedule: { every: '47h' } },
      'spec.schedule.every',
      'at least twice overlap.max',
    ],
    ['every below a minute', { schedule: { every: '59s' } }, 'spec.schedule.every', 'at least 1m'],
    ['every in days', { schedule: { every: '30d' } }, 'spec.schedule.every', 'should match'],
    ['a cron of four fields', { schedule: { cron: '0 3 * *' } }, 'spec.schedule.cron'],
    [
      'overlap.min above overlap.max',
      { overlap: { min: '2h', max: '1h' } },
      'spec.overlap.min',
      'at most overlap.max',
    ],
    [
      'two roles without the group that owns their objects',
      { source: { postgresRole: { connectionRef: { name: 'o' }, roles: ['a', 'b'] } } },
      'spec.source.postgresRole.memberOf',
    ],
    [
      'the same role twice',
      { source: { postgresRole: { ...ROLES, roles: ['a', 'a'] } } },
      'spec.source.postgresRole.roles',
      'two different roles',
    ],
    [
      'three roles',
      { source: { postgresRole: { ...ROLES, roles: ['a', 'b', 'c'] } } },
      'spec.source.postgresRole.roles',
    ],
    [
      'a wildcard as role',
      { source: { postgresRole: { ...ROLES, roles: ['a', '*'] } } },
      'spec.source.postgresRole.roles',
    ],
    [
      'a role with a quote',
      { source: { postgresRole: { ...ROLES, roles: ['a', 'b"; --'] } } },
      'spec.source.postgresRole.roles[1]',
    ],
    [
      'RollBack with a single role',
      {
        source: { postgresRole: { connectionRef: { name: 'o' }, roles: ['a'] } },
        onUnhealthy: 'RollBack',
      },
      'spec.onUnhealthy',
      'nothing to roll back to',
    ],
    ['a word outside the set', { deletionPolicy: 'Delete' }, 'spec.deletionPolicy', '"Retain"'],
    ['a Secret name that is no label', { secret: { name: 'Orders.DB' } }, 'spec.secret.name'],
    [
      'a label of ours in the template',
      { secret: { name: 's', template: { labels: { 'palisade.dev/rotation': 'x' } } } },
      'spec.secret.template.labels',
      'belong to the operator',
    ],
    [
      'an annotation of ours in the template',
      { secret: { name: 's', template: { annotations: { 'palisade.dev/seq': '9' } } } },
      'spec.secret.template.annotations',
    ],
    [
      'a Secret type that grants access to the cluster',
      { secret: { name: 's', template: { type: 'kubernetes.io/service-account-token' } } },
      'spec.secret.template.type',
    ],
  ])('refuses %s and names the field', async (_, change, ...parts) => {
    const made = await makeRotation(rotation(change))
    expect([400, 422]).toContain(made.status)
    for (const part of parts) expect(made.message).toContain(part)
  })

  it('refuses a name of more than 52 characters', async () => {
    expect((await makeRotation(rotation(), 'a'.repeat(52))).status).toBe(201)
    const made = await makeRotation(rotation(), 'a'.repeat(53))
    expect(made.status).toBe(422)
    expect(made.message).toContain('metadata.name: at most 52 characters')
  })

  describe('once made', () => {
    const path = `${ROTATIONS}/fixed`
    beforeAll(async () => {
      api.expectOk(await api.post(ROTATIONS, object('SecretRotation', 'fixed', rotation())))
    })

    it.each<[string, Fields, string]>([
      ['roles', { source: { postgresRole: { roles: ['other_a', 'other_b'] } } }, 'spec.source'],
      ['kind of source', { source: { postgresRole: null, generated: {} } }, 'spec.source'],
      ['store.path', { store: { path: 'orders/other' } }, 'spec.store.path'],
    ])('refuses another %s', async (_, spec, field) => {
      const answer = await api.mergePatch(path, { spec })
      expect(answer.status).toBe(422)
      expect(answer.message).toContain(field)
      expect(answer.message).toContain('cannot be changed')
    })

    it('takes other edits', async () => {
      const answer = await api.mergePatch(path, {
        spec: { schedule: { every: '800h' }, suspend: true },
      })
      expect(answer.status).toBe(200)
    })

    it('keeps status and spec apart', async () => {
      const wrong = await api.mergePatch(path, { status: { version: 9 } })
      expect(wrong.body).not.toHaveProperty('status')
      const right = await api.mergePatch(`${path}/status`, {
        status: { version: 4 },
        spec: { suspend: false },
      })
      expect(right.body).toMatchObject({ status: { version: 4 }, spec: { suspend: true } })
    })

    it('merges conditions by type, so that two writers keep their own', async () => {
      const condition = (type: string) => ({
        type,
        status: 'True',
        reason: 'UpToDate',
        message: '',
        lastTransitionTime: '2026-11-21T12:00:00Z',
      })
      const { apiVersion, kind } = object('SecretRotation', 'fixed', {})
      const body = (type: string) => ({
        apiVersion,
        kind,
        metadata: { name: 'fixed' },
        status: { conditions: [condition(type)] },
      })
      await api.applyPatch(`${path}/status`, body('Ready'), 'one')
      const answer = await api.applyPatch(`${path}/status`, body('NoOverlap'), 'two')
      const status = answer.body['status'] as { conditions: { type: string }[] }
      expect(status.conditions.map(({ type }) => type)).toEqual(['Ready', 'NoOverlap'])
    })

    it('has no room for a value in its status', async () => {
      const answer = await api.ask('PATCH', `${path}/status${STRICT}`, {
        body: { status: { password: 'canary-1b7e' } },
        contentType: 'application/merge-patch+json',
      })
      expect(answer.status).toBe(422)
      expect(answer.message).toContain('unknown field "status.password"')
    })
  })

  it('shows Ready, Reason, Strategy and times, is found by short name, category and Secret', async () => {
    const name = 'shown'
    api.expectOk(
      await api.post(
        ROTATIONS,
        object('SecretRotation', name, rotation({ secret: { name: 'shown-db' } })),
      ),
    )
    const status = {
      strategy: 'Overlap',
      lastRotationTime: new Date(Date.now() - 3_600_000).toISOString(),
      nextRotationTime: '2099-01-01T00:00:00Z',
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'UpToDate',
          message: 'version 4',
          lastTransitionTime: '2026-11-21T12:00:00Z',
        },
      ],
    }
    api.expectOk(await api.mergePatch(`${ROTATIONS}/${name}/status`, { status }))
    const selected = ['-n', 'shop', '--field-selector', 'spec.secret.name=shown-db']
    const [head = '', row = '', ...more] = (await api.kubectl('get', 'srot', ...selected))
      .trim()
      .split('\n')
    expect(head.split(/\s+/)).toEqual([
      ...['NAME', 'READY', 'REASON', 'STRATEGY', 'LASTROTATION', 'NEXTROTATION', 'AGE'],
    ])
    expect(row).toMatch(/^shown\s+True\s+UpToDate\s+Overlap\s+6\dm\s+2099-01-01T00:00:00Z\s/)
    expect(more).toEqual([])
    expect(await api.kubectl('get', 'palisade', '-n', 'shop')).toContain(
      'secretrotation.palisade.dev/shown',
    )
    expect(
      await api.kubectl(
        'wait',
        '-n',
        'shop',
        'srot/shown',
        '--for=condition=Ready',
        '--timeout=5s',
      ),
    ).toContain('condition met')
  })

  it('explains each field', async () => {
    const text = await api.kubectl('explain', 'srot.spec.overlap.onMax')
    expect(text).toContain('Hold: both stay')
  })
})

describe('McpGrant', () => {
  it('needs subject, target, reason and duration alone', async () => {
    const made = await makeGrant(grant())
    expect(made.message).toBe('')
    expect(made.spec).toMatchObject({
      budget: { calls: 500, perMinute: 30 },
      approval: { bindToCall: 'Never' },
    })
  })

  it.each<[string, Fields]>([
    [
      'a user and a stored key',
      { subject: { user: '017f22e2-79b0' }, target: { storedKey: 'stripe' } },
    ],
    ['a handle in a Secret', { secret: { name: 'github-handle' } }],
  ])('takes %s', async (_, change) => {
    expect((await makeGrant(grant(change))).message).toBe('')
  })

  it.each<[string, Fields, ...string[]]>([
    [
      'two subjects',
      { subject: { serviceAccount: { name: 'a' }, user: 'u' } },
      'spec.subject',
      'exactly one of serviceAccount, user',
    ],
    [
      'a ServiceAccount of another namespace',
      { subject: { serviceAccount: { name: 'a', namespace: 'other' } } },
      'spec.subject.serviceAccount.namespace',
    ],
    ['no target', { target: {} }, 'spec.target', 'exactly one of server, storedKey'],
    ['a server without tools', { target: { server: 'github' } }, 'spec.target.tools'],
    ['a wildcard as tool', { target: { server: 'github', tools: ['*'] } }, 'spec.target.tools[0]'],
    ['a duration of months', { duration: '721h' }, 'spec.duration', 'between 1m and 720h'],
    ['no reason', { reason: '' }, 'spec.reason'],
    ['an approval', { approval: { approvedBy: 'me' } }, 'spec.approval.approvedBy'],
  ])('refuses %s and names the field', async (_, change, ...parts) => {
    const made = await makeGrant(grant(change))
    expect([400, 422]).toContain(made.status)
    for (const part of parts) expect(made.message).toContain(part)
  })

  it('keeps its subject, and may ask for other tools', async () => {
    api.expectOk(await api.post(GRANTS, object('McpGrant', 'bot', grant())))
    const other = await api.mergePatch(`${GRANTS}/bot`, {
      spec: { subject: { serviceAccount: { name: 'admin' } } },
    })
    expect(other.status).toBe(422)
    expect(other.message).toContain('spec.subject cannot be changed')
    const wider = await api.mergePatch(`${GRANTS}/bot`, { spec: { target: { tools: ['merge'] } } })
    expect(wider.status).toBe(200)
    expect(await api.kubectl('get', 'mcpg', '-n', 'shop')).toMatch(
      /READY\s+REASON\s+SERVER\s+RISK\s+EXPIRES/,
    )
  })
})

describe('RotationBackend', () => {
  it('takes a Postgres server whose roles begin with the namespace', async () => {
    const made = await makeBackend(backend())
    expect(made.message).toBe('')
    expect(made.spec).toMatchObject({ tls: { trust: 'Platform' }, maxConcurrent: 4 })
  })

  it.each<[string, Fields]>([
    ['exact names', { names: ['palisade_app_a', 'palisade_app_b'] }],
    ['another separator', { names: ['{namespace}:*', '{namespace}.main'] }],
    [
      'a credential in the store and a bundle of authorities',
      {
        credential: { vaultPath: 'platform/backends/orders' },
        tls: {
          trust: 'Bundle',
          caBundle: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
        },
      },
    ],
    [
      'a gateway, by the token of the operator',
      {
        kind: 'Gateway',
        endpoint: { host: 'gateway.palisade-system.svc', port: 3443 },
        credential: { serviceAccount: { audience: 'palisade-gateway' } },
      },
    ],
    [
      'the place of the logs and a name for all instances',
      {
        instances: { host: 'db-instances.data.svc', port: 5432 },
        serverLogs: {
          namespace: 'data',
          podSelector: { matchLabels: { 'cnpg.io/cluster': 'db' } },
          container: 'postgres',
        },
      },
    ],
    [
      'a namespace by name',
      { allowedNamespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } },
    ],
  ])('takes %s', async (_, change) => {
    expect((await makeBackend(backend(change))).message).toBe('')
  })

  it.each<[string, Fields, ...string[]]>([
    ['a wildcard for everything', { names: ['*'] }, 'spec.names[0]', 'one "*"'],
    ['a wildcard in a fixed name', { names: ['palisade_*'] }, 'spec.names[0]', 'one "*"'],
    ['a wildcard in the middle', { names: ['{namespace}_*_a'] }, 'spec.names[0]', 'one "*"'],
    ['two wildcards', { names: ['{namespace}_**'] }, 'spec.names[0]', 'one "*"'],
    ['another variable', { names: ['{name}_*'] }, 'spec.names[0]', 'only variable'],
    [
      // With "-" as separator, namespace "a" could name what belongs to namespace "a-b".
      'a separator that a namespace may contain',
      { names: ['{namespace}-*'] },
      'spec.names[0]',
      'which no namespace contains',
    ],
    ['no separator', { names: ['{namespace}*'] }, 'spec.names[0]', 'which no namespace contains'],
    [
      'a pattern that does not begin with the namespace',
      { names: ['x_{namespace}_*'] },
      'spec.names[0]',
    ],
    ['no names', { names: [] }, 'spec.names'],
    ['an empty selector', { allowedNamespaces: {} }, 'spec.allowedNamespaces', 'every namespace'],
    ['no credential', { credential: {} }, 'spec.credential', 'exactly one of'],
    [
      'a credential outside the platform mount',
      { credential: { vaultPath: 'apps/shop/orders' } },
      'spec.credential.vaultPath',
    ],
    ['a bundle without certificates', { tls: { trust: 'Bundle' } }, 'spec.tls.caBundle'],
    [
      'logs of every pod of a namespace',
      {
        serverLogs: { namespace: 'data', podSelector: { matchLabels: {} }, container: 'postgres' },
      },
      'spec.serverLogs.podSelector.matchLabels',
    ],
    [
      'logs of a server that is not Postgres',
      {
        kind: 'Redis',
        serverLogs: {
          namespace: 'data',
          podSelector: { matchLabels: { app: 'redis' } },
          container: 'redis',
        },
      },
      'spec.serverLogs',
      'Postgres',
    ],
    [
      'a Postgres server without its database',
      { endpoint: { host: 'db', port: 5432 } },
      'spec.endpoint.database',
    ],
  ])('refuses %s and names the field', async (_, change, ...parts) => {
    const made = await makeBackend(backend(change))
    expect([400, 422]).toContain(made.status)
    for (const part of parts) expect(made.message).toContain(part)
  })

  it('keeps its kind', async () => {
    api.expectOk(await api.post(BACKENDS, object('RotationBackend', 'orders', backend())))
    const answer = await api.mergePatch(`${BACKENDS}/orders`, { spec: { kind: 'Redis' } })
    expect(answer.status).toBe(422)
    expect(answer.message).toContain('spec.kind cannot be changed')
    expect(await api.kubectl('get', 'rbk')).toMatch(/orders\s+Postgres/)
  })
})
