import { onNode } from './cluster.ts'

/** Where somebody listens, as one gets there. */
export interface Listener {
  readonly host: string
  readonly port: number
  /** A process in the network from which the address is reached; absent: the node's own. */
  readonly pid?: number
}

/** One line of ss(8). */
export interface Socket {
  readonly protocol: 'tcp' | 'udp'
  /** `*`, `0.0.0.0` or `[::]`: every address of its network. */
  readonly address: string
  readonly port: number
  /** Name of the process, as far as the kernel keeps it: 15 characters. */
  readonly program: string
}

const SOCKET = /^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+(?:\s+users:\(\("([^"]*)")?/

/** Which of them nobody reaches from outside of the network that they listen in. */
export const isLoopback = ({ address }: Socket): boolean => /^(127\.|\[::1\])/.test(address)

/** Everything that listens in the networks of these processes, loopback included; nothing where one has ended. */
export async function listenersOf(
  pids: readonly number[],
): Promise<ReadonlyMap<number, readonly Socket[]>> {
  const each = pids.map((pid) => `echo ${pid}; nsenter -t ${pid} -n ss -Hlntup || true`)
  const found = new Map<number, Socket[]>()
  let current: Socket[] = []
  for (const line of (await onNode('bash', '-c', each.join('\n'))).split('\n')) {
    if (/^\d+$/.test(line)) found.set(Number(line), (current = []))
    else if (line !== '') current.push(socketOf(line))
  }
  return found
}

function socketOf(line: string): Socket {
  const [, protocol, address, port, program = ''] = SOCKET.exec(line) ?? []
  if (address === undefined) throw new Error(`ss says what nobody here reads: ${line}`)
  return { protocol: protocol as 'tcp' | 'udp', address, port: Number(port), program }
}

/** Whoever it is: only whether a handshake succeeds matters here, and who may be believed is tested elsewhere. */
const HANDSHAKE = `
  const { connect } = require('node:tls')
  const one = ({ host, port }) => new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
    const end = (word) => { resolve(word); socket.destroy() }
    socket.setTimeout(20_000, () => end('no answer'))
    socket.on('secureConnect', () => end(socket.getProtocol()))
    // An alert is TLS too: whoever sends one wanted a certificate or a protocol that this does not have.
    socket.on('error', ({ code = 'error' }) => end(/_ALERT_/.test(code) ? 'TLS alert' : code))
  })
  Promise.all(JSON.parse(process.argv[1]).map(one)).then((all) => console.log(JSON.stringify(all)))`

const within = (pid: number | undefined): readonly string[] =>
  pid === undefined ? [] : ['nsenter', '-t', String(pid), '-n', '--']

/** Version of TLS in which each of them answers a handshake, or why there was none; no policy stands in the way. */
export async function speaks(listeners: readonly Listener[]): Promise<string[]> {
  const told = new Map<Listener, string>()
  for (const [pid, group] of Map.groupBy(listeners, (one) => one.pid)) {
    const run = [...within(pid), process.execPath, '-e', HANDSHAKE, JSON.stringify(group)]
    const words = JSON.parse(await onNode(...run)) as string[]
    group.forEach((one, index) => told.set(one, words[index] ?? ''))
  }
  return listeners.map((one) => told.get(one) ?? '')
}

const EXCHANGE = `
  const { connect } = require('node:net')
  const [{ host, port }, ...questions] = JSON.parse(process.argv[1])
  const one = (hex) => new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(Buffer.from(hex, 'hex')))
    let answer = ''
    const end = () => { resolve(answer); socket.destroy() }
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      socket.setTimeout(2_000)
    })
    socket.on('close', end).on('error', end)
    socket.setTimeout(20_000, end)
  })
  Promise.all(questions.map(one)).then((all) => console.log(JSON.stringify(all)))`

/** What comes back for bytes as they are, without TLS, until two seconds after the last; each by its own connection. */
export async function exchange(listener: Listener, ...questions: Buffer[]): Promise<string[]> {
  const wish = JSON.stringify([listener, ...questions.map((bytes) => bytes.toString('hex'))])
  const run = [...within(listener.pid), process.execPath, '-e', EXCHANGE, wish]
  return JSON.parse(await onNode(...run)) as string[]
}
