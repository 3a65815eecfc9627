import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { parseAllDocuments } from 'yaml'
import { systemClock } from '../../core/clock.ts'
import { Sealed } from '../../core/sealed.ts'
import { assembleGateway } from '../../gateway/assemble.ts'
import { loadSigningKeys, makeSigningKey } from '../../gateway/identity/signing-keys.ts'
import { RecentReviews } from '../../gateway/internal/recent-reviews.ts'
import { TokenReviewer } from '../../gateway/internal/token-reviewer.ts'
import { KeyFileWrapper } from '../../gateway/keys/key-file-wrapper.ts'
import { LocalLimiter } from '../../gateway/limits/local-limiter.ts'
import { GatewayMetrics } from '../../gateway/observe/metrics.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { GATEWAY_AUDIENCE } from '../../infra/names.ts'
import { toolPath } from '../../local/tools/path.ts'
import type { TestApiServer } from './apiserver.ts'
import type { PalisadeDatabase } from './postgres.ts'

const SYSTEM = 'palisade-system'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const CHART = join(import.meta.dirname, '../../charts/palisade')
const run = promisify(execFile)

/** A token of an account for one audience, and for one Pod where a uid is given. */
export async function tokenFor(
  api: TestApiServer,
  account: string,
  audience: string = GATEWAY_AUDIENCE,
  pod?: { readonly name: string; readonly uid: string },
): Promise<string> {
  await api.token(SYSTEM, account)
  const path = `/api/v1/namespaces/${SYSTEM}/serviceaccounts/${account}/token`
  const answer = await api.post(path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      expirationSeconds: 3600,
      audiences: [audience],
      ...(pod ? { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } } : {}),
    },
  })
  return (api.expectOk(answer)['status'] as { token: string }).token
}

/** A reviewer with the account and the rights that the chart gives the gateway. */
export async function makeReviewer(api: TestApiServer) {
  const { stdout } = await run(await toolPath('helm'), [
    ...['template', 'palisade', CHART, '--namespace', SYSTEM],
    ...['--set', 'image=test:1', '--set', 'networkPolicies.enabled=false'],
    ...['--show-only', 'templates/gateway/rbac.yaml'],
  ])
  for (const document of parseAllDocuments(stdout)) {
    const object = document.toJS() as Parameters<TestApiServer['apply']>[0]
    await api.apply(object, `${RBAC}/${object.kind.toLowerCase()}s`)
  }
  const directory = await mkdtemp(join(tmpdir(), 'palisade-reviewer-'))
  const own = await api.token(SYSTEM, 'gateway')
  await writeFile(join(directory, 'token'), own, { mode: 0o600 })
  await writeFile(join(directory, 'ca.crt'), api.ca)
  const reviewer = new TokenReviewer({ url: api.url, directory }, GATEWAY_AUDIENCE)
  return {
    reviewer,
    directory,
    /** The gateway's own token. */
    own,
    stop: async () => {
      await reviewer.close()
      await rm(directory, { recursive: true })
    },
  }
}

/** The internal listener of a gateway on a real database and a real API server, without TLS. */
export async function startIntake(api: TestApiServer, db: PalisadeDatabase, cluster = 'test') {
  const { reviewer, stop } = await makeReviewer(api)
  const store = new PostgresStore(db.app)
  const key = [{ id: 'test', key: Sealed.of<Uint8Array>(randomBytes(32)) }]
  const build = () => {
    const { internal } = assembleGateway({
      profile: 'dev',
      clock: systemClock,
      log: pino({ level: 'silent' }),
      store,
      wrapper: new KeyFileWrapper(Sealed.of(randomBytes(32))),
      limiter: new LocalLimiter(),
      metrics: new GatewayMetrics(),
      keys: { signing, auditMac: key, headMac: key },
      names: { issuer: 'https://api.test', audience: 'palisade' },
      writer: 'test-0',
      settings: { trustedProxies: [], allowedOrigins: [], bodyLimit: 262_144 },
      workloads: {
        cluster,
        accounts: { operator: `system:serviceaccount:${SYSTEM}:operator` },
        reviews: new RecentReviews((token) => reviewer.review(token)),
      },
    })
    if (!internal) throw new Error('there is no internal listener')
    return internal
  }
  const signing = loadSigningKeys([await makeSigningKey(new Date('2026-01-01'))], new Date())
  let app = build()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    /** The gateway is away: nobody listens. */
    goAway: () => app.close(),
    async comeBack() {
      app = build()
      await app.listen({ host: '127.0.0.1', port })
    },
    async stop() {
      await app.close()
      await store.close()
      await stop()
    },
  }
}
