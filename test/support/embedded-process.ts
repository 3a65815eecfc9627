import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, inTime } from './child.ts'

const ROOT = join(import.meta.dirname, '../..')
const HOST = '127.0.0.1'

interface Json {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** The gateway as a developer starts it: `npm start` with a folder and ports of its own. */
export class EmbeddedProcess {
  readonly child: ChildProcess
  readonly data: string
  readonly port: number
  readonly operationsPort: number
  readonly #startedAt = performance.now()
  #output = ''

  private constructor(data: string, ports: readonly number[], env: NodeJS.ProcessEnv) {
    const [port = 0, operationsPort = 0] = ports
    this.data = data
    this.port = port
    this.operationsPort = operationsPort
    const own = ['--data', data, '--port', `${port}`, '--operations-port', `${operationsPort}`]
    this.child = spawn('npm', ['start', '--silent', '--', ...own], {
      cwd: ROOT,
      // A developer's first start has no compiled code to begin with.
      env: { ...process.env, NODE_COMPILE_CACHE: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (part: Buffer) => (this.#output += part.toString()))
  }

  static async start(data: string, env: NodeJS.ProcessEnv = {}): Promise<EmbeddedProcess> {
    return new EmbeddedProcess(data, await freePorts(2), env)
  }

  output(): string {
    return this.#output
  }

  /** Milliseconds from its start to the first answer of the gateway. */
  async answers(limitMs = 60_000): Promise<number> {
    for (;;) {
      const took = performance.now() - this.#startedAt
      const isThere = await this.ask('GET', '/.well-known/jwks.json').then(
        ({ status }) => status === 200,
        () => false,
      )
      if (isThere) return took
      if (this.#hasEnded()) throw new Error(`it ended:\n${this.#output}`)
      if (took > limitMs) throw new Error(`no answer within ${limitMs} ms:\n${this.#output}`)
      await sleep(50)
    }
  }

  async ask(method: string, path: string, body?: object, token?: string): Promise<Json> {
    const answer = await fetch(`http://${HOST}:${this.port}${path}`, {
      signal: inTime(),
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    return { status: answer.status, headers: answer.headers, body: parsed }
  }

  /** An access token of the user that was made at the first start. */
  async logIn(): Promise<string> {
    const text = await readFile(join(this.data, 'first-login.json'), 'utf8')
    const { body } = await this.ask('POST', '/api/v1/auth/login', JSON.parse(text) as object)
    return String(body['accessToken'])
  }

  metrics = async (): Promise<string> =>
    (await fetch(`http://${HOST}:${this.operationsPort}/metrics`, { signal: inTime() })).text()

  /** Its exit code. */
  async ended(): Promise<number | null> {
    if (!this.#hasEnded()) await once(this.child, 'exit')
    return this.child.exitCode
  }

  async stop(): Promise<void> {
    if (!this.#hasEnded()) this.child.kill('SIGTERM')
    await this.ended()
  }

  #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }
}
