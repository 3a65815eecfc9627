import { join } from 'node:path'

/** Addresses and names of the one node; everything below is inside its own network namespace. */
export const NODE = {
  name: 'palisade',
  address: '10.250.0.1',
  podCidr: '10.244.0.0/16',
  nodePodCidr: '10.244.0.0/24',
  serviceCidr: '10.96.0.0/16',
  apiService: '10.96.0.1',
  dnsService: '10.96.0.10',
  apiPort: 6443,
  queue: 100,
} as const

/** A second cluster beside the first, as tests need it: other ports, another cgroup, its own state folder. */
const offset = Number(process.env.PALISADE_PORT_OFFSET ?? 0)

/** Ports on the machine itself, all on loopback. */
export const HOST_PORTS = { api: 6443 + offset, http: 8080 + offset, https: 8443 + offset } as const

/** Name of the cgroup above all pods, in every hierarchy. */
export const CGROUP = offset === 0 ? 'palisade' : `palisade-${offset}`

/**
 * What every program of the node is started with, and nothing of the caller's: a token in a shell reaches
 * no process that stays, a proxy does not stand between components, and whoever starts it gets the same node.
 */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  ...(offset === 0 ? {} : { PALISADE_PORT_OFFSET: String(offset) }),
}

export interface Layout {
  readonly state: string
  readonly pki: string
  readonly config: string
  readonly run: string
  readonly logs: string
  readonly data: string
}

export function layoutOf(state: string): Layout {
  return {
    state,
    pki: join(state, 'node', 'pki'),
    config: join(state, 'node', 'config'),
    data: join(state, 'node', 'data'),
    run: join(state, 'run'),
    logs: join(state, 'logs'),
  }
}

/** Unix sockets cross the network namespace, since they live in the file system. */
export const socketOf = (layout: Layout, name: keyof typeof HOST_PORTS): string =>
  join(layout.run, `${name}.sock`)
