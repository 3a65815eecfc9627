import { connect } from 'node:net'

export interface FloodWorld {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Taken in turn by the requests of each connection. */
  readonly tokens: readonly string[]
  /** Different addresses that requests claim to come from. */
  readonly sources: number
}

export interface FloodResult {
  readonly seconds: number
  /** Answers by status; `broken` are requests whose connection ended before an answer. */
  readonly answers: Readonly<Record<string, number>>
}

/** Requests that nobody knows, one after another on each connection, as fast as they are answered. */
const world = JSON.parse(process.env['FLOOD_WORLD'] ?? '{}') as FloodWorld
const begun = performance.now()
const end = begun + world.seconds * 1000
const answers: Record<string, number> = {}
let sent = 0
let open = 0

function request(): string {
  sent += 1
  const n = sent % world.sources
  const source = `198.${18 + ((n >> 16) & 1)}.${(n >> 8) & 255}.${n & 255}`
  const token = world.tokens[sent % world.tokens.length] ?? ''
  return `GET /api/secrets/flood HTTP/1.1\r\nhost: gateway\r\nx-forwarded-for: ${source}\r\nauthorization: Bearer ${token}\r\n\r\n`
}

function count(status: string): void {
  answers[status] = (answers[status] ?? 0) + 1
}

/** Plain sockets: a client of HTTP would need the processor that the gateway is to be given. */
function flood(): void {
  open += 1
  const socket = connect({ port: world.port, host: '127.0.0.1', noDelay: true })
  let text = ''
  let waiting = false
  const ask = () => {
    if (performance.now() >= end) return void socket.end()
    waiting = true
    socket.write(request())
  }
  socket.setTimeout(30_000, () => socket.destroy())
  socket.on('connect', ask)
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    const head = text.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1])
    if (text.length < head + 4 + length) return
    count(text.slice(9, 12))
    waiting = false
    text = ''
    ask()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    open -= 1
    if (waiting) count('broken')
    if (performance.now() < end) flood()
    else if (open === 0) {
      const result: FloodResult = { seconds: (performance.now() - begun) / 1000, answers }
      process.stdout.write(JSON.stringify(result))
    }
  })
}
for (let i = 0; i < world.connections; i += 1) flood()
