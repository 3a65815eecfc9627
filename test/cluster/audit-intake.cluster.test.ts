import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StateRecord } from '../../operator/secret-rotation/state.ts'
import { GATEWAY_AUDIENCE } from '../../infra/names.ts'
import { caPath } from '../../local/answer.ts'
import { inTime } from '../support/child.ts'
import { kubectl, readyPods } from '../support/cluster.ts'
import { asAuditor, psql } from '../support/database.ts'
import { type EdgeClient, edgeClient } from '../support/edge.ts'
import { forward, type Forward } from '../support/forward.ts'
import { openVault, type Vault } from '../support/vault.ts'

const SYSTEM = 'palisade-system'
const OWN = ['gateway-db', 'sealer-db'] as const

let edge: EdgeClient
let vault: Vault
let tunnel: Forward
let agent: Agent
let cluster: string

beforeAll(async () => {
  const [gateway] = await readyPods(SYSTEM, 'app.kubernetes.io/name=gateway')
  ;[edge, vault, tunnel] = await Promise.all([
    edgeClient(),
    openVault(),
    // From the node itself, which no network policy concerns: what is tested is the listener.
    forward(SYSTEM, gateway?.metadata.name ?? 'deploy/gateway', 3443),
  ])
  const servername = `gateway.${SYSTEM}.svc`
  agent = new Agent({ connect: { ca: await readFile(caPath(), 'utf8'), servername } })
  const path = '{.spec.template.spec.containers[0].env[?(@.name=="PALISADE_CLUSTER_ID")].value}'
  cluster = await kubectl('get', 'deploy', 'operator', '-n', SYSTEM, '-o', `jsonpath=${path}`)
})
afterAll(async () => {
  await Promise.all([edge?.close(), vault?.close(), agent?.close()])
  tunnel?.stop()
})

async function stateOf(name: string): Promise<StateRecord> {
  const token = await vault.loginAs('operator', 'palisade-operator')
  const path = `palisade-state/data/${cluster}/${SYSTEM}/${name}`
  const found = await vault.call(token, 'GET', path)
  return JSON.parse((found?.['data'] as { record: string }).record) as StateRecord
}

const tokenOf = (account: string, audience: string) =>
  kubectl('create', 'token', account, '-n', SYSTEM, '--audience', audience, '--duration', '600s')

async function post(token: string | undefined, entries: object[]) {
  const answer = await request(`https://127.0.0.1:${tunnel.port}/audit/ingest`, {
    dispatcher: agent,
    signal: inTime(),
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token.trim()}` }),
    },
    body: JSON.stringify({ entries }),
  })
  const body = (await answer.body.json()) as { code?: string }
  return [answer.statusCode, body.code]
}

const entry = (change: object = {}) => ({
  type: 'rotation.begin',
  outcome: 'success',
  rotationId: 'probe',
  seq: 1,
  at: '2026-11-21T12:00:00Z',
  resource: { kind: 'SecretRotation', cluster, namespace: 'shop', name: 'probe', uid: 'probe' },
  ...change,
})

describe("the platform's own rotations in the audit log", () => {
  it.each(OWN)('are told: the steps of %s are sealed and its outbox is empty', async (name) => {
    await expect
      .poll(async () => (await stateOf(name)).outbox, { timeout: 90_000, interval: 1_000 })
      .toEqual([])
    const sealed = () =>
      psql(`select convert_from(log.record, 'utf8')::jsonb->>'eventType', log.tenant_id
        from palisade.secret_audit_logs log join palisade.audit_seals seal on seal.record_id = log.id
        where convert_from(log.record, 'utf8')::jsonb->'actor'->>'kind' = 'operator'
          and convert_from(log.record, 'utf8')::jsonb->'subject'->>'id' like '${cluster}/${SYSTEM}/${name}/%'`)
    const types = async () => (await sealed()).map(([type]) => type)
    await expect
      .poll(types, { timeout: 30_000, interval: 500 })
      .toEqual(expect.arrayContaining(['rotation.begin', 'rotation.publish', 'rotation.complete']))
    const tenants = new Set((await sealed()).map(([, tenant]) => tenant))
    expect([...tenants]).toEqual(['00000000-0000-0000-0000-000000000001'])
  })

  it('hold together with the rest of the log when it is taken out and verified', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-audit-'))
    const file = join(folder, 'log.jsonl')
    const cli = (env: NodeJS.ProcessEnv, ...args: string[]) =>
      promisify(execFile)('node', ['cli/main.ts', 'audit', ...args], {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, ...env },
        maxBuffer: 64 * 1024 * 1024,
      })
    try {
      await asAuditor((url) => cli({ PALISADE_DATABASE_URL: url }, 'export', file))
      const log = await kubectl('logs', '-n', SYSTEM, 'deploy/sealer')
      const [, key = ''] = /"verifier":"([^"]+)"/.exec(log) ?? []
      const { stdout } = await cli({}, 'verify', file, '--key', key, '--json')
      expect(JSON.parse(stdout)).toMatchObject({ ok: true })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('the internal listener', () => {
  it('is not served by the edge', async () => {
    const json = { entries: [entry()] }
    const { status } = await edge.call('/audit/ingest', { method: 'POST', json })
    expect(status).toBe(404)
  })

  it("takes nothing of what the operator's token is not for", async () => {
    const token = await tokenOf('operator', GATEWAY_AUDIENCE)
    expect(await post(token, [entry({ type: 'secret.read' })])).toEqual([400, 'ERR_VALIDATION'])
    const resource = { ...entry().resource, cluster: 'elsewhere' }
    expect(await post(token, [entry({ resource })])).toEqual([403, 'ERR_FORBIDDEN'])
  })

  it('knows nobody without a token, with one for the secret store, or of another account', async () => {
    expect(await post(undefined, [entry()])).toEqual([401, 'ERR_UNAUTHENTICATED'])
    const forStore = await tokenOf('operator', 'openbao')
    expect(await post(forStore, [entry()])).toEqual([401, 'ERR_TOKEN_INVALID'])
    const sealer = await tokenOf('sealer', GATEWAY_AUDIENCE)
    expect(await post(sealer, [entry()])).toEqual([403, 'ERR_FORBIDDEN'])
  })
})
