import { onNode } from './cluster.ts'

export interface Listener {
  readonly host: string
  readonly port: number
}

const LISTENING = '0A'
const LOOPBACK = /^(0100007F|0{24}01000000|0{16}FFFF00000100007F)$/

/** Ports that a Pod opens to others, by the tables of its own network. */
export async function listenersOf(pid: number): Promise<number[]> {
  const tables = await onNode('cat', `/proc/${pid}/net/tcp`, `/proc/${pid}/net/tcp6`)
  const ports = tables
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === LISTENING)
    .map(([, local = '']) => local.split(':') as [string, string])
    .filter(([address]) => !LOOPBACK.test(address))
    .map(([, port]) => parseInt(port, 16))
  return [...new Set(ports)].sort((a, b) => a - b)
}

/** Whoever it is: only whether a handshake succeeds matters here, and who may be believed is tested elsewhere. */
const HANDSHAKE = `
  const { connect } = require('node:tls')
  const one = ({ host, port }) => new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
    const end = (word) => { resolve(word); socket.destroy() }
    socket.setTimeout(5_000, () => end('no answer'))
    socket.on('secureConnect', () => end(socket.getProtocol()))
    // An alert is TLS too: whoever sends one wanted a certificate or a protocol that this does not have.
    socket.on('error', ({ code = 'error' }) => end(/_ALERT_/.test(code) ? 'TLS alert' : code))
  })
  Promise.all(JSON.parse(process.argv[1]).map(one)).then((all) => console.log(JSON.stringify(all)))`

/** Version of TLS in which each of them answers a handshake, or why there was none. From the node, which no policy concerns. */
export async function speaks(listeners: readonly Listener[]): Promise<string[]> {
  const answer = await onNode(process.execPath, '-e', HANDSHAKE, JSON.stringify(listeners))
  return JSON.parse(answer) as string[]
}

const EXCHANGE = `
  const { connect } = require('node:net')
  const [host, port, bytes] = JSON.parse(process.argv[1])
  const socket = connect(port, host, () => socket.write(Buffer.from(bytes, 'hex')))
  let answer = ''
  const end = () => { console.log(JSON.stringify(answer)); process.exit(0) }
  socket.on('data', (chunk) => { answer += chunk.toString('latin1') })
  socket.on('close', end).on('error', end)
  setTimeout(end, 2_000)`

/** What comes back for bytes as they are, without TLS, within two seconds. */
export async function exchange({ host, port }: Listener, bytes: Buffer): Promise<string> {
  const wish = JSON.stringify([host, port, bytes.toString('hex')])
  return JSON.parse(await onNode(process.execPath, '-e', EXCHANGE, wish)) as string
}
