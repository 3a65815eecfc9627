import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'

interface Health {
  readonly ok: boolean
  readonly reason: string
}

/** Metrics and probes; nothing else answers on this port. */
export function operations(registry: Registry, ready: () => Health) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request.url ?? '', registry, ready).then(({ status, type, body }) => {
      response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' })
      response.end(body)
    })
  }
}

async function answer(url: string, registry: Registry, ready: () => Health) {
  const json = (status: number, body: object) => ({
    status,
    type: 'application/json',
    body: JSON.stringify(body),
  })
  switch (url.split('?')[0]) {
    case '/livez':
      return json(200, { ok: true })
    case '/readyz': {
      const health = ready()
      return json(health.ok ? 200 : 503, health)
    }
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() }
    default:
      return json(404, { code: 'ERR_ROUTE_NOT_FOUND' })
  }
}
