import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { Agent, buildConnector, request, type Dispatcher } from 'undici'
import { inTime } from './child.ts'
import { kubectl } from './cluster.ts'
import { API_HOST, caPath } from '../../local/answer.ts'
import { HOST_PORTS } from '../../local/bare/layout.ts'

export interface EdgeAnswer {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly body: string
}

export interface EdgeRequest {
  readonly method?: Dispatcher.HttpMethod
  readonly token?: string
  readonly headers?: Record<string, string>
  readonly json?: unknown
}

export interface EdgeClient {
  /** What its connections agreed to speak, by ALPN: `h2`, `http/1.1`, or `none`. */
  readonly protocols: ReadonlySet<string>
  call(path: string, wish?: EdgeRequest): Promise<EdgeAnswer>
  close(): Promise<void>
}

/** A client of the platform from this machine: through the relay, over TLS, trusting the platform's CA alone. */
export async function edgeClient({ http2 = true } = {}): Promise<EdgeClient> {
  const ca = await readFile(caPath(), 'utf8')
  // By address, since not every resolver knows that names under localhost are this machine.
  const connect = buildConnector({ ca, servername: API_HOST, allowH2: http2 })
  const protocols = new Set<string>()
  const agent = new Agent({
    allowH2: http2,
    connect: (options, done) =>
      connect(options, (...outcome) => {
        const [, socket] = outcome
        if (socket instanceof TLSSocket) protocols.add(socket.alpnProtocol || 'none')
        done(...outcome)
      }),
  })
  return {
    protocols,
    async call(path, { method = 'GET', token, headers = {}, json } = {}) {
      const answer = await request(`https://127.0.0.1:${HOST_PORTS.https}${path}`, {
        dispatcher: agent,
        signal: inTime(),
        method,
        headers: {
          host: API_HOST,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      })
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: await answer.body.text(),
      }
    },
    close: () => agent.close(),
  }
}

/** Body of the development user's login request, read as whoever may run a command in the gateway's Pod. */
export async function developmentLogin(): Promise<{ email: string; password: string }> {
  const text = await kubectl(
    ...['exec', '-n', 'palisade-system', 'deploy/gateway', '-c', 'gateway', '--'],
    ...['node', 'gateway/main.ts', 'development-login'],
  )
  return JSON.parse(text) as { email: string; password: string }
}

const ATTEMPTS = 8

/** An access token of the development user. Tests share one address, so a full limit is waited for. */
export async function accessToken(edge: EdgeClient): Promise<string> {
  const json = await developmentLogin()
  for (let attempt = 1; ; attempt++) {
    const answer = await edge.call('/api/v1/auth/login', { method: 'POST', json })
    if (answer.status === 200) {
      return (JSON.parse(answer.body) as { accessToken: string }).accessToken
    }
    if (answer.status !== 429 || attempt === ATTEMPTS) {
      throw new Error(`login was answered with ${answer.status}: ${answer.body}`)
    }
    await sleep(Number(answer.headers['retry-after'] ?? 1) * 1000)
  }
}
