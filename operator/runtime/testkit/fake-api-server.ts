import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

interface Stored {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    uid: string
    resourceVersion: string
  }
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * One resource over HTTP, with the faults that an API server and the network before it have: watches that are cut,
 * fall silent or end in an ERROR event, refusals with Retry-After, changes that nobody was told of.
 */
export class FakeApiServer {
  readonly #objects = new Map<string, Stored>()
  readonly #watches = new Set<ServerResponse>()
  readonly #faults: Answer[] = []
  readonly #server = createServer((request, response) => this.#handle(request, response))
  #version = 100
  /** Each request as `list`, `page`, `stream` or `watch from <version>`. */
  readonly requests: string[] = []
  streamingLists = true

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  /** Makes or changes an object; `quietly` leaves the watches without the event. */
  put(name: string, options: { quietly?: boolean; uid?: string } = {}): void {
    const known = this.#objects.get(name)
    const uid = options.uid ?? known?.metadata.uid ?? `uid-${name}`
    this.#version += 1
    const object = {
      metadata: {
        name,
        namespace: 'ns',
        uid,
        resourceVersion: String(this.#version),
        managedFields: [{}],
      },
    }
    this.#objects.set(name, object)
    if (!options.quietly) this.send(known ? 'MODIFIED' : 'ADDED', object)
  }

  remove(name: string, options: { quietly?: boolean } = {}): void {
    const known = this.#objects.get(name)
    if (!known) return
    this.#objects.delete(name)
    this.#version += 1
    const last = { metadata: { ...known.metadata, resourceVersion: String(this.#version) } }
    if (!options.quietly) this.send('DELETED', last)
  }

  send(type: string, object: unknown): void {
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type, object })}\n`)
  }

  /** In two pieces, the first of which ends inside a character. */
  sendTorn(name: string): void {
    this.#version += 1
    const metadata = { name, namespace: 'ns', uid: name, resourceVersion: String(this.#version) }
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { metadata } })}\n`)
    const middle = bytes.indexOf(0xc3) + 1
    for (const watch of this.#watches) {
      watch.write(bytes.subarray(0, middle))
      setTimeout(() => watch.write(bytes.subarray(middle)), 20)
    }
  }

  bookmark(): void {
    this.send('BOOKMARK', { metadata: { resourceVersion: String(this.#version) } })
  }

  /** An expired version inside a healthy stream, as the watch cache says it. */
  expireWatches(): void {
    this.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })
  }

  cutWatches(): void {
    for (const watch of this.#watches) watch.socket?.destroy()
    this.#watches.clear()
  }

  /** The link stays open and nothing comes any more, in this watch and in no other. */
  fallSilent(): void {
    this.#watches.clear()
  }

  /** The next requests are answered like this instead. */
  fail(...answers: readonly Answer[]): void {
    this.#faults.push(...answers)
  }

  get watching(): number {
    return this.#watches.size
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://server')
    const query = url.searchParams
    this.requests.push(nameOf(query))
    const fault = this.#faults.shift()
    if (fault) return refuse(response, fault)
    if (query.get('watch') !== 'true') return this.#list(query, response)
    if (query.get('sendInitialEvents') === 'true' && !this.streamingLists) {
      return refuse(response, { status: 422 })
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    // A streaming list ends with its bookmark; only what follows it is told of changes.
    if (query.get('sendInitialEvents') !== 'true') this.#watches.add(response)
    response.on('close', () => this.#watches.delete(response))
    this.#replay(query, response)
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const all = [...this.#objects.values()]
    const from = Number(query.get('continue') ?? 0)
    // Small pages, whatever was asked for, so that every list has several.
    const to = from + 2
    const metadata = {
      resourceVersion: String(this.#version),
      ...(to < all.length ? { continue: String(to) } : {}),
    }
    response.writeHead(200).end(JSON.stringify({ items: all.slice(from, to), metadata }))
  }

  #replay(query: URLSearchParams, response: ServerResponse): void {
    const after = Number(query.get('resourceVersion') ?? 0)
    const write = (type: string, object: unknown) =>
      response.write(`${JSON.stringify({ type, object })}\n`)
    for (const object of this.#objects.values()) {
      if (Number(object.metadata.resourceVersion) > after) write('ADDED', object)
    }
    if (query.get('sendInitialEvents') !== 'true') return
    const annotations = { 'k8s.io/initial-events-end': 'true' }
    write('BOOKMARK', { metadata: { resourceVersion: String(this.#version), annotations } })
  }
}

function nameOf(query: URLSearchParams): string {
  if (query.get('watch') !== 'true') return query.has('continue') ? 'page' : 'list'
  if (query.get('sendInitialEvents') === 'true') return 'stream'
  return `watch from ${query.get('resourceVersion')}`
}

function refuse(response: ServerResponse, { status, headers = {} }: Answer): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(
      JSON.stringify({ kind: 'Status', code: status, reason: 'Refused', message: 'by the test' }),
    )
}
