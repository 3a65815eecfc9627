import { createServer } from 'node:https'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { TestApiServer } from './apiserver.ts'

export interface Kubelet {
  /** From now on the log of the Pod cannot be had. */
  goDeaf(): void
  stop(): Promise<void>
}

/**
 * One node with one Pod whose container "writes" what a test's server logs, so that the API server's own path to logs
 * (rights, parameters, the node's address) is the one of a cluster.
 */
export async function serveLogsOf(
  api: TestApiServer,
  pod: {
    readonly namespace: string
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly container: string
  },
  tls: { readonly cert: string; readonly key: string },
  log: () => string,
): Promise<Kubelet> {
  let deaf = false
  const [cert, key] = await Promise.all([tls.cert, tls.key].map((file) => readFile(file)))
  const server = createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? '', 'https://node')
    const wanted = `/containerLogs/${pod.namespace}/${pod.name}/${pod.container}`
    if (deaf || url.pathname !== wanted) return response.writeHead(500).end('no log today')
    const since = Date.parse(url.searchParams.get('sinceTime') ?? '1970-01-01T00:00:00Z')
    const limit = Number(url.searchParams.get('limitBytes') ?? Infinity)
    const lines = dated(log()).filter(({ at }) => at >= since)
    const text = lines.map(({ at, order, line }) => `${timeOf(at, order)} ${line}\n`).join('')
    return response.end(text.slice(0, limit))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const node = 'node-of-logs'
  await api.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } }, '/api/v1/nodes')
  api.expectOk(
    await api.mergePatch(`/api/v1/nodes/${node}/status`, {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    }),
  )
  const { namespace, name, labels, container } = pod
  const pods = `/api/v1/namespaces/${namespace}/pods`
  api.expectOk(
    await api.post(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels },
      spec: { nodeName: node, containers: [{ name: container, image: 'postgres:1' }] },
    }),
  )
  api.expectOk(await api.mergePatch(`${pods}/${name}/status`, { status: { phase: 'Running' } }))
  return {
    goDeaf: () => (deaf = true),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The moment that the server gave a line is the one at which the kubelet got it; what continues a line has its time. */
function dated(text: string): readonly { at: number; order: number; line: string }[] {
  let at = 0
  return text.split('\n').map((line, order) => {
    const time = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) /.exec(line)
    if (time) at = Date.parse(`${time[1]}T${time[2]}Z`)
    return { at, order, line }
  })
}

/** Nanoseconds, of which the server gives milliseconds: no two lines have one time. */
const timeOf = (at: number, order: number): string =>
  new Date(at).toISOString().replace('Z', `${String(order % 1_000_000).padStart(6, '0')}Z`)
