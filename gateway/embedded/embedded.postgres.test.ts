import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePorts, inTime } from '../../test/support/child.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

// Some start it twice, each time with a server of its own, beside whatever else this machine does.
vi.setConfig({ testTimeout: 180_000 })

let directory: string
let port: number
let operations: number
let running: Running | undefined

interface Running {
  readonly child: ChildProcess
  readonly output: () => string
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palisade-embedded-'))
  await chmod(directory, 0o755)
  ;[port = 0, operations = 0] = await freePorts(2)
})
afterEach(async () => {
  if (running && !hasEnded(running)) {
    running.child.kill('SIGTERM')
    await once(running.child, 'exit')
  }
})
afterAll(() => rm(directory, { recursive: true, force: true }))

function start(...args: string[]): Running {
  const base = [
    '--data',
    join(directory, 'data'),
    '--port',
    String(port),
    '--operations-port',
    String(operations),
  ]
  const child = spawn(process.execPath, [MAIN, ...base, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (text += part.toString()))
  running = { child, output: () => text }
  return running
}

const hasEnded = ({ child }: Running) => child.exitCode !== null || child.signalCode !== null

async function answers(one: Running, limitMs = 60_000): Promise<number> {
  const before = performance.now()
  while (performance.now() - before < limitMs) {
    if (hasEnded(one)) throw new Error(`it ended:\n${one.output()}`)
    if (one.output().includes('Palisade gateway, embedded')) return performance.now() - before
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`no answer:\n${one.output()}`)
}

const url = (path: string) => `http://127.0.0.1:${port}${path}`

async function logIn(): Promise<Record<string, string>> {
  const body = await readFile(join(directory, 'data', 'first-login.json'), 'utf8')
  const headers = { 'content-type': 'application/json' }
  const wish = { method: 'POST', headers, body, signal: inTime() }
  const answer = await fetch(url('/api/v1/auth/login'), wish)
  const { accessToken } = (await answer.json()) as { accessToken: string }
  return { ...headers, authorization: `Bearer ${accessToken}` }
}

describe('npm start', () => {
  it('answers on loopback, stores and reads a secret, seals the record, and keeps it over a kill -9', async () => {
    const first = start()
    await answers(first)
    const headers = await logIn()
    const stored = await fetch(url('/api/secrets/greeting'), {
      method: 'PUT',
      signal: inTime(),
      headers,
      body: '{"value":"hello"}',
    })
    expect(stored.status).toBe(201)
    await until(async () => (await metrics()).includes('palisade_audit_unsealed_rows 0'))
    const checkpoint = join(directory, 'data', 'audit', 'checkpoint')
    await until(async () =>
      (await readFile(checkpoint, 'utf8').catch(() => '')).startsWith(
        'palisade.dev/audit/embedded/epoch-1\n',
      ),
    )
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')

    await answers(start())
    const wish = { headers: await logIn(), signal: inTime() }
    const read = await fetch(url('/api/secrets/greeting'), wish)
    expect(await read.json()).toMatchObject({ version: 1, value: 'hello' })
  })

  it('keeps password and keys in files of mode 0600 and prints none of them', async () => {
    const one = start()
    await answers(one)
    const data = join(directory, 'data')
    for (const name of ['key', 'first-login.json', 'users.json', 'jwt-keys.json']) {
      expect((await stat(join(data, name))).mode & 0o777).toBe(0o600)
    }
    const { password } = JSON.parse(await readFile(join(data, 'first-login.json'), 'utf8')) as {
      password: string
    }
    const key = (await readFile(join(data, 'key'), 'utf8')).trim()
    const written = one.output() + (await readFile(join(data, 'gateway.log'), 'utf8'))
    for (const secret of [password, key]) expect(written).not.toContain(secret)
    expect(one.output()).toContain('Not for production')
  })

  it('ends within 20 s of SIGTERM with status 0 and leaves no process', async () => {
    const one = start()
    await answers(one)
    one.child.kill('SIGTERM')
    const [code] = (await once(one.child, 'exit')) as [number]
    expect(code).toBe(0)
    const left = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    for (const pid of left) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      expect(command.includes(directory)).toBe(false)
    }
  })

  it('names a taken port and the way out, and makes nothing', async () => {
    const holder = createServer()
    await new Promise<void>((done) => holder.listen(port, '127.0.0.1', done))
    const empty = join(directory, 'not-made')
    const one = start('--data', empty)
    const [code] = (await once(one.child, 'exit')) as [number]
    await new Promise((done) => holder.close(done))
    expect(code).toBe(1)
    expect(one.output()).toMatch(new RegExp(`ERR_PORT_IN_USE: port ${port} .* --port`))
    await expect(stat(empty)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('refuses a key file that others can read', async () => {
    const key = join(directory, 'data', 'key')
    await chmod(key, 0o644)
    const one = start()
    const [code] = (await once(one.child, 'exit')) as [number]
    await chmod(key, 0o600)
    expect(code).toBe(1)
    expect(one.output()).toMatch(/ERR_CONFIG_INVALID: the key file .* chmod 600/)
  })

  it.each([['--port', '99999'], ['--port', 'x'], ['--nonsense']])(
    'answers ERR_USAGE to %s %s',
    async (...args) => {
      const one = start(...args.filter((arg) => arg !== undefined))
      const [code] = (await once(one.child, 'exit')) as [number]
      expect(code).toBe(1)
      expect(one.output()).toContain('ERR_USAGE')
    },
  )
})

const metrics = async () =>
  (await fetch(`http://127.0.0.1:${operations}/metrics`, { signal: inTime() })).text()

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error('the condition did not come true within 20 s')
}
