import { execFile } from 'node:child_process'
import { once } from 'node:events'
import {
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect as connectPlain } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubectl } from '../../test/support/cluster.ts'
import { type EdgeInstance, startEdgeInstance } from '../../test/support/edge-instance.ts'
import { HOSTS } from '../names.ts'
import { SECURITY_HEADERS } from './headers.ts'
import { renderEdge } from './render.ts'

const run = promisify(execFile)
const HOST = 'api.palisade.localhost'

interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const parse = (text: string): Answer => {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s)
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*?)\s*$/.exec(line) ?? []
    // As any client reads a field that comes twice: one that is sent twice is another value.
    const before = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`)
  }
  return { status: Number(first.split(' ')[1]), headers, body }
}

/** Bytes as they are: a client library would refuse to send half of what is sent here. */
const send = async (
  edge: EdgeInstance,
  bytes: string,
  to: 'tls' | 'plain' | 'plain to tls' = 'tls',
): Promise<Answer> => {
  // A connection that the edge cut ends kubectl's forward, some time after it; what goes into one that is about to end
  // is lost without a byte of an answer, and goes out again through the next.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendTo(edge.ports, bytes, to)
    } catch (error) {
      if (attempt === 5) throw error
      await sleep(500)
    }
  }
}

const sendTo = (
  ports: EdgeInstance['ports'],
  bytes: string,
  to: 'tls' | 'plain' | 'plain to tls',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const port = to === 'plain' ? ports.plain : ports.tls
    const socket =
      to === 'tls'
        ? connectTls({ port, host: '127.0.0.1', servername: HOST, rejectUnauthorized: false })
        : connectPlain(port, '127.0.0.1')
    let text = ''
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer in 20 s')))
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('error', (error: Error) => (text === '' ? reject(error) : resolve(parse(text))))
    socket.on('close', () => (text === '' ? reject(new Error('no answer')) : resolve(parse(text))))
    socket.write(bytes)
  })

const request = (line: string, ...headers: readonly string[]): string =>
  [`${line} HTTP/1.1`, `Host: ${HOST}`, 'Connection: close', ...headers, '', ''].join('\r\n')

const PORTS = {
  serving: { plain: 18_080, tls: 18_443, health: 18_081 },
  refused: { plain: 18_180, tls: 18_543, health: 18_181 },
  silent: { plain: 18_280, tls: 18_643, health: 18_281 },
}
const edgeTo = (host: string, ports: (typeof PORTS)['serving'], port = 3000): string =>
  renderEdge({
    nginxVersion: '1.26',
    hosts: [HOST],
    publicPort: 8443,
    proxyProtocol: false,
    trustedProxies: [],
    xssFilter: 'off',
    ports,
    upstream: {
      host,
      port,
      serverName: HOSTS.gateway,
      tlsDirectory: '/etc/palisade/tls',
    },
  })

const EDGE = ['-n', 'palisade-edge'] as const

const podOfEdge = () => {
  const status = '{.items[*].status.containerStatuses[*].restartCount}'
  const wanted = `jsonpath={.items[*].metadata.uid} ${status}`
  return kubectl('get', 'pods', ...EDGE, '-l', 'app.kubernetes.io/name=edge', '-o', wanted)
}
const reloads = async () =>
  (await kubectl('logs', ...EDGE, 'deploy/edge', '--tail=-1')).split(
    'certificate renewed: reloaded',
  ).length

/** The platform's own edge, when its certificate was taken away. */
let before: { readonly pod: string; readonly reloads: number; readonly at: number }
// It comes again while other rules are tried, at instances of their own that do not read it again.
beforeAll(async () => {
  before = { pod: await podOfEdge(), reloads: await reloads(), at: Date.now() }
  await kubectl('delete', 'secret', 'edge-tls', ...EDGE)
})

let serving: EdgeInstance
let refused: EdgeInstance
let silent: EdgeInstance

beforeAll(async () => {
  serving = await startEdgeInstance(
    'serving',
    edgeTo(`${HOSTS.gateway}.cluster.local`, PORTS.serving),
    PORTS.serving,
  )
  // Nobody listens there.
  refused = await startEdgeInstance('refused', edgeTo('127.0.0.1', PORTS.refused), PORTS.refused)
  // The network policy drops what the edge sends there, so nobody ever answers.
  silent = await startEdgeInstance(
    'silent',
    edgeTo(`${HOSTS.openbao}.cluster.local`, PORTS.silent, 8200),
    PORTS.silent,
  )
})
afterAll(async () => {
  await Promise.all([serving, refused, silent].map((one) => one?.stop()))
})

const expectHeaders = (answer: Answer): void => {
  for (const [name, value] of SECURITY_HEADERS) {
    expect(answer.headers.get(name.toLowerCase()), name).toBe(value)
  }
  expect(answer.headers.get('server')).toBe('nginx')
}
const expectProblem = (answer: Answer, status: number, code: string): void => {
  expect(answer.status).toBe(status)
  expectHeaders(answer)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(JSON.parse(answer.body)).toMatchObject({ status, code })
}

const LONG = 'a'.repeat(9_000)

describe('an answer of the edge', () => {
  it('200 carries every security header once', async () => {
    const answer = await send(serving, request('GET /.well-known/jwks.json'))
    expect(answer.status).toBe(200)
    expectHeaders(answer)
  })

  it('301 goes to the https port of the same host and carries them', async () => {
    const answer = await send(serving, request('GET /x?y=1'), 'plain')
    expect(answer.status).toBe(301)
    expect(answer.headers.get('location')).toBe(`https://${HOST}:8443/x?y=1`)
    expectHeaders(answer)
  })

  it.each([
    ['400 for broken HTTP', () => 'BROKEN\r\n\r\n', 400, 'ERR_BAD_REQUEST'],
    ['404', () => request('GET /nowhere'), 404, 'ERR_NOT_FOUND'],
    ['405', () => request('PUT /.well-known/jwks.json'), 405, 'ERR_METHOD_NOT_ALLOWED'],
    [
      '413',
      () => request('POST /api/secrets', 'Content-Length: 9000000'),
      413,
      'ERR_PAYLOAD_TOO_LARGE',
    ],
    ['414', () => request(`GET /api/${LONG}`), 414, 'ERR_URI_TOO_LONG'],
    ['431', () => request('GET /api/secrets', `X-Long: ${LONG}`), 431, 'ERR_HEADERS_TOO_LARGE'],
    [
      '404 for the inside of the edge',
      () => request('GET /_edge/problem/404'),
      404,
      'ERR_NOT_FOUND',
    ],
  ])('%s is a problem with its code and carries them', async (_, bytes, status, code) => {
    expectProblem(await send(serving, bytes()), status, code)
  })

  it('400 for plain HTTP on the https port is a problem and carries them', async () => {
    expectProblem(await send(serving, request('GET /'), 'plain to tls'), 400, 'ERR_BAD_REQUEST')
  })

  it('421 answers a host that is not served here', async () => {
    const foreign = request('GET /api/secrets').replace(HOST, 'evil.example')
    expectProblem(await send(serving, foreign), 421, 'ERR_MISDIRECTED')
  })

  it('429 says when to come back and carries them', async () => {
    const login = request('POST /api/v1/auth/login', 'Content-Length: 0')
    const answers = await Promise.all(Array.from({ length: 60 }, () => send(refused, login)))
    const limited = answers.filter(({ status }) => status === 429)
    expect(limited.length).toBeGreaterThan(5)
    for (const answer of limited) {
      expectProblem(answer, 429, 'ERR_RATE_LIMITED')
      expect(answer.headers.get('retry-after')).toBe('2')
    }
  })

  it('502 is a problem and carries them', async () => {
    expectProblem(await send(refused, request('GET /api/secrets')), 502, 'ERR_BAD_GATEWAY')
  })

  it('504 is a problem and carries them', async () => {
    expectProblem(await send(silent, request('GET /api/secrets')), 504, 'ERR_GATEWAY_TIMEOUT')
  })

  it('404 and 413 over HTTP/2 are problems too and carry them', async () => {
    const { tls } = serving.ports
    const client = connectHttp2(`https://127.0.0.1:${tls}`, {
      servername: HOST,
      rejectUnauthorized: false,
    })
    // A body that is announced and does not come: the edge answers before it has read any of it.
    const ask = async (headers: OutgoingHttpHeaders, endStream: boolean): Promise<Answer> => {
      const stream = client.request({ ':authority': HOST, ...headers }, { endStream })
      const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders]
      return {
        status: Number(head[':status']),
        headers: new Map(Object.entries(head).map(([name, value]) => [name, String(value)])),
        body: await text(stream),
      }
    }
    try {
      expectProblem(await ask({ ':path': '/nowhere' }, true), 404, 'ERR_NOT_FOUND')
      const large = { ':method': 'POST', ':path': '/api/secrets', 'content-length': '9000000' }
      expectProblem(await ask(large, false), 413, 'ERR_PAYLOAD_TOO_LARGE')
      expect(client.alpnProtocol).toBe('h2')
    } finally {
      client.destroy()
    }
  })
})

describe('TLS of the edge', () => {
  const handshake = async (version: string): Promise<string> => {
    const { tls } = serving.ports
    const child = run('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${tls}`,
      '-servername',
      HOST,
      `-${version}`,
      '-cipher',
      'ALL:@SECLEVEL=0',
    ])
    child.child.stdin?.end()
    const { stdout, stderr } = await child.catch(
      (error: { stdout: string; stderr: string }) => error,
    )
    return stdout + stderr
  }

  it.each(['tls1', 'tls1_1'])('refuses %s', async (version) => {
    const told = await handshake(version)
    expect(told).toContain('Cipher is (NONE)')
    // The edge's own word: an openssl that cannot speak it would say something else.
    expect(told).toContain('alert protocol version')
  })

  it.each([
    ['tls1_2', /Cipher is ECDHE-/],
    ['tls1_3', /Cipher is TLS_/],
  ])('speaks %s with forward secrecy', async (version, cipher) => {
    expect(await handshake(version)).toMatch(cipher)
  })
})

describe('a renewed certificate', () => {
  it('is taken over within three minutes, in the same process', async () => {
    while ((await reloads()) === before.reloads) {
      if (Date.now() > before.at + 180_000) throw new Error('no reload within three minutes')
      await sleep(3_000)
    }
    expect(await podOfEdge()).toBe(before.pod)
  }, 200_000)
})
