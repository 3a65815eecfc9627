import { createServer as createPlainServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Registry } from 'prom-client'

export interface Probes {
  /** Alive: the process turns its loop. Ready: its first lists are complete. */
  readonly ready: () => boolean
}

/** `/livez` and `/readyz` in plain HTTP, for the kubelet alone. */
export function serveProbes(port: number, probes: Probes, host?: string): Promise<Server> {
  const server = createPlainServer((request, response) => {
    const path = request.url?.split('?')[0]
    const ok = path === '/livez' || (path === '/readyz' && probes.ready())
    const known = path === '/livez' || path === '/readyz'
    response.writeHead(ok ? 200 : known ? 503 : 404, { 'content-type': 'text/plain' })
    response.end(ok ? 'ok\n' : known ? 'not ready\n' : 'not found\n')
  })
  return listening(server, port, host)
}

export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

export async function serveMetrics(
  port: number,
  registry: Registry,
  tls: TlsFiles,
): Promise<Server> {
  const server = createTlsServer({ ...tls, minVersion: 'TLSv1.2' }, (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    registry
      .metrics()
      .then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text))
      .catch(() => response.writeHead(500).end())
  })
  return listening(server, port)
}

function listening<S extends Server>(server: S, port: number, host?: string): Promise<S> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => resolve(server))
  })
}
