import { execFile } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoredSigningKey } from '../../gateway/identity/signing-keys.ts'
import { kubectl } from '../support/cluster.ts'
import { asAuditor, psql } from '../support/database.ts'
import { accessToken, type EdgeClient, edgeClient } from '../support/edge.ts'
import { openVault } from '../support/vault.ts'

let edge: EdgeClient
let token = ''

const code = (body: string): string => (JSON.parse(body) as { code: string }).code
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

beforeAll(async () => {
  edge = await edgeClient()
  token = await accessToken(edge)
})
afterAll(() => edge.close())

describe('a secret through the edge', () => {
  const path = `/api/secrets/e2e-${randomUUID().slice(0, 8)}`
  const value = `canary-${randomUUID()}`

  it('is stored and read back by its owner', async () => {
    const stored = await edge.call(path, {
      method: 'PUT',
      token,
      json: { value },
      headers: { 'idempotency-key': randomUUID() },
    })
    expect(stored.status, stored.body).toBe(201)
    const read = await edge.call(path, { token })
    expect(read.status, read.body).toBe(200)
    expect(JSON.parse(read.body)).toMatchObject({ value, version: 1 })
    expect(read.headers['cache-control']).toContain('no-store')
  })

  it('keeps a value that looks like an attack as it is', async () => {
    const attack = "' OR 1=1; DROP TABLE users; -- <script>alert(1)</script> $(cat /etc/passwd)"
    const stored = await edge.call(`${path}-attack`, {
      method: 'PUT',
      token,
      json: { value: attack },
    })
    expect(stored.status, stored.body).toBe(201)
    const read = await edge.call(`${path}-attack`, { token })
    expect(JSON.parse(read.body)).toMatchObject({ value: attack })
  })

  it('answers 401 without a token', async () => {
    const { status, body } = await edge.call(path)
    expect([status, code(body)]).toEqual([401, 'ERR_UNAUTHENTICATED'])
  })

  const parts = (): [string, Record<string, unknown>, string] => {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    return [header, { ...claims }, signature]
  }

  it('answers 401 to a token whose claims were changed', async () => {
    const [header, claims, signature] = parts()
    const forged = encode({ ...claims, sub: randomUUID() })
    const { status } = await edge.call(path, { token: `${header}.${forged}.${signature}` })
    expect(status).toBe(401)
  })

  it('answers 401 to a token whose end was put off', async () => {
    const [header, claims, signature] = parts()
    const later = encode({ ...claims, exp: Number(claims['exp']) + 3600 })
    const { status } = await edge.call(path, { token: `${header}.${later}.${signature}` })
    expect(status).toBe(401)
  })

  it('answers 401 to a token that says it needs no signature', async () => {
    const [, claims] = parts()
    const { status } = await edge.call(path, {
      token: `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims)}.`,
    })
    expect(status).toBe(401)
  })
})

describe('a token that says what a good one says', () => {
  const path = '/api/secrets/not-there'
  let own: KeyObject
  beforeAll(async () => {
    const vault = await openVault()
    try {
      const rights = await vault.loginAs('gateway', 'palisade-gateway')
      const stored = await vault.call(rights, 'GET', 'platform/data/gateway/jwt-keys')
      const { keys } = stored?.['data'] as { keys: string }
      const [{ kid = '' } = {}] = token.split('.').map(decoded) as { kid?: string }[]
      const signing = (JSON.parse(keys) as StoredSigningKey[]).find((key) => key.kid === kid)
      own = createPrivateKey({ key: signing?.privateJwk ?? {}, format: 'jwk' })
    } finally {
      await vault.close()
    }
  })

  const decoded = (part: string): object => {
    try {
      return JSON.parse(Buffer.from(part, 'base64url').toString()) as object
    } catch {
      return {} // The signature.
    }
  }
  /** The claims and the header of the token that is accepted, made again. */
  async function made(key: KeyObject, secondsLeft: number): Promise<string> {
    const [header = {}, claims = {}] = token.split('.').map(decoded)
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({ ...claims, iat: now - 900 + secondsLeft, exp: now + secondsLeft })
      .setProtectedHeader({ alg: 'ES256', ...header })
      .sign(key)
  }
  const answerTo = async (bearer: string) => {
    const { status, headers, body } = await edge.call(path, { token: bearer })
    return [status, code(body), headers['www-authenticate']]
  }

  it('is answered 404 for what is not there while its time lasts', async () => {
    const [status] = await answerTo(await made(own, 600))
    expect(status).toBe(404)
  })

  it('is answered 401 when its time is over', async () => {
    const expected = [401, 'ERR_TOKEN_INVALID', 'Bearer error="invalid_token"']
    expect(await answerTo(await made(own, -120))).toEqual(expected)
  })

  it('is answered 401 when another key signed it under the name of the right one', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect((await answerTo(await made(privateKey, 600))).slice(0, 2)).toEqual([
      401,
      'ERR_TOKEN_INVALID',
    ])
  })
})

describe('the audit of a request through the edge', () => {
  const name = `e2e-${randomUUID().slice(0, 8)}`
  const audited = (columns: string, join: string): Promise<string[][]> =>
    psql(`select ${columns} from palisade.secret_audit_logs log
      join palisade.enterprise_secrets secret
        on convert_from(log.record, 'utf8')::jsonb->'subject'->>'id' = secret.id::text
      ${join}
      where secret.name = '${name}';`)

  it('is written by the same transaction as the secret', async () => {
    const stored = await edge.call(`/api/secrets/${name}`, {
      method: 'PUT',
      token,
      json: { value: `canary-${randomUUID()}` },
      headers: { 'idempotency-key': randomUUID() },
    })
    expect(stored.status, stored.body).toBe(201)
    const rows = await audited(
      'log.xmin, version.xmin',
      'join palisade.secret_versions version on version.secret_id = secret.id',
    )
    expect(rows).toHaveLength(1)
    const [[logged, written] = []] = rows
    expect(logged).toBe(written)
  })

  it('is sealed within seconds', async () => {
    const sealed = (): Promise<string[][]> =>
      audited('seal.seq', 'join palisade.audit_seals seal on seal.record_id = log.id')
    const deadline = Date.now() + 10_000
    while ((await sealed()).length === 0 && Date.now() < deadline) await sleep(250)
    expect(await sealed()).toHaveLength(1)
  })

  it('holds when the whole log is taken out and verified, and is found broken when a record is cut', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-audit-'))
    const file = join(folder, 'log.jsonl')
    const cli = (env: NodeJS.ProcessEnv, ...args: string[]) =>
      promisify(execFile)('node', ['cli/main.ts', 'audit', ...args], {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, ...env },
        maxBuffer: 64 * 1024 * 1024,
      }).catch((error: { code: number; stdout: string }) => error)
    try {
      await asAuditor((url) => cli({ PALISADE_DATABASE_URL: url }, 'export', file))
      const log = await kubectl('logs', '-n', 'palisade-system', 'deploy/sealer')
      const [, key = ''] = /"verifier":"([^"]+)"/.exec(log) ?? []
      const whole = await cli({}, 'verify', file, '--key', key, '--json')
      expect(whole, whole.stdout).not.toHaveProperty('code')
      expect(JSON.parse(whole.stdout)).toMatchObject({ ok: true })

      const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
      const cut = lines.findIndex((line) => line.includes('"record"'))
      await writeFile(file, lines.toSpliced(cut, 1).join('\n'))
      expect(await cli({}, 'verify', file, '--key', key)).toMatchObject({ code: 3 })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('login through the edge', () => {
  it('answers 429 with Retry-After after five attempts in a minute', async () => {
    const begun = performance.now()
    const attempts = Array.from({ length: 20 }, () =>
      edge.call('/api/v1/auth/login', {
        method: 'POST',
        json: { email: 'nobody@example.com', password: 'x' },
      }),
    )
    const answers = await Promise.all(attempts)
    const refused = answers.filter((answer) => answer.status === 429)
    // Five, and one more every twelve seconds.
    const admitted = 5 + Math.floor((performance.now() - begun) / 12_000)
    expect(refused.length).toBeGreaterThanOrEqual(20 - admitted)
    for (const answer of refused) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true)
  })
})
