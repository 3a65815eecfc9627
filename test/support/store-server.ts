import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { type joiningConfig } from '../../infra/openbao/config.ts'
import { toolPath } from '../../local/tools/path.ts'
import type { Authority } from './certificates.ts'
import { inTime, startChild, type Child } from './child.ts'

/** A real OpenBao from a configuration of ours, moved from its pod to this machine's loopback. */
export interface StoreServer {
  readonly address: string
  /** The answer's status and body; 0 while nothing answers. */
  ask(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: object,
    token?: string,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
  readonly child: Child
  stop(): Promise<void>
}

export interface StoreServerWish {
  readonly dir: string
  readonly name: string
  readonly ports: { readonly api: number; readonly cluster: number }
  readonly config: ReturnType<typeof joiningConfig> & { readonly initialize?: readonly object[] }
  readonly authority: Authority
  /** Texts of the configuration that are different here. */
  readonly moved?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

export async function startStoreServer(wish: StoreServerWish): Promise<StoreServer> {
  const { name, ports, authority, config } = wish
  const home = join(wish.dir, name)
  await mkdir(join(home, 'data'), { recursive: true })
  const { certPath, keyPath } = await authority.issue(name, ['IP:127.0.0.1', 'DNS:localhost'])
  const address = `https://127.0.0.1:${ports.api}`
  const here = {
    ...config,
    api_addr: address,
    cluster_addr: `https://127.0.0.1:${ports.cluster}`,
    listener: config.listener.map(({ tcp }) => ({
      tcp: {
        ...tcp,
        address: `127.0.0.1:${ports.api}`,
        cluster_address: `127.0.0.1:${ports.cluster}`,
        tls_cert_file: certPath,
        tls_key_file: keyPath,
      },
    })),
    storage: { raft: { ...config.storage.raft, path: join(home, 'data') } },
  }
  const moved = { '/etc/palisade/tls/ca.crt': authority.caPath, ...wish.moved }
  const text = Object.entries(moved).reduce(
    (left, [from, to]) => left.replaceAll(from, to),
    JSON.stringify(here, null, 2),
  )
  const path = join(home, 'config.json')
  await writeFile(path, text)
  const child = startChild(
    await toolPath('bao'),
    ['server', `-config=${path}`],
    join(home, 'server.log'),
    wish.env,
  )
  const agent = new Agent({ connect: { ca: authority.ca } })
  return {
    address,
    child,
    async ask(method, at, body, token) {
      try {
        const answer = await request(`${address}/v1/${at}`, {
          method,
          dispatcher: agent,
          signal: inTime(),
          headers: {
            'content-type': 'application/json',
            ...(token ? { 'x-vault-token': token } : {}),
          },
          body: body === undefined ? null : JSON.stringify(body),
        })
        const read = await answer.body.text()
        const parsed = read.startsWith('{') ? (JSON.parse(read) as Record<string, unknown>) : {}
        return { status: answer.statusCode, body: parsed }
      } catch {
        return { status: 0, body: {} }
      }
    },
    async stop() {
      await child.stop()
      if (!agent.closed) await agent.close()
    },
  }
}
