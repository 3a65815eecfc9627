// For machines with Docker. Not run where this was written, since it had no Docker: kept small, pinned
// and free of anything that the bare backend does in another way.
import { mkdir } from 'node:fs/promises'
import type { Backend } from '../backend.ts'
import { json } from '../bare/config.ts'
import { HOST_PORTS, type Layout } from '../bare/layout.ts'
import { environment } from '../environment.ts'
import { LocalError } from '../errors.ts'
import { exec } from '../exec.ts'
import { imageStore } from '../images/ensure.ts'
import { containerdAt, importImages } from '../images/import.ts'
import { cacheDir, kubeconfigPath } from '../paths.ts'

const CLUSTER = 'palisade'
/** The release of kind whose notes name this image: another one takes it by good luck. */
const KIND_VERSION = 'v0.30.0'
export const NODE_IMAGE =
  'kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a'
const POD_CIDR = '10.244.0.0/16'

/** Docker publishes the ports itself, without a PROXY header; its networks lie in 172.16.0.0/12. */
const STACK_CONFIG = {
  'palisade:cluster': {
    apiServer: { cidrs: ['172.16.0.0/12'], port: 6443 },
    podCidrs: [POD_CIDR],
    dnsCidrs: [],
  },
  'palisade:edge': {
    exposure: 'HostPort',
    hosts: ['api.palisade.localhost'],
    publicPort: HOST_PORTS.https,
    proxyProtocol: false,
    trustedProxies: [],
  },
}

export const isDockerThere = (): Promise<boolean> =>
  exec('docker', ['info', '--format', '{{.ServerVersion}}'], { env: environment('docker') }).then(
    () => true,
    () => false,
  )

/** A tag can be moved to another image, and this one runs as the whole node. */
function refuseUnpinned(image: string): void {
  if (/^[^@]+:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/.test(image)) return
  throw new LocalError(
    'ERR_IMAGE_UNPINNED',
    `the node image "${image}" names no digest`,
    'take image and digest from the notes of the release of kind that is used',
  )
}

export function clusterConfig(image: string): string {
  refuseUnpinned(image)
  return json({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name: CLUSTER,
    networking: {
      apiServerAddress: '127.0.0.1',
      apiServerPort: HOST_PORTS.api,
      podSubnet: POD_CIDR,
    },
    nodes: [
      {
        role: 'control-plane',
        image,
        extraPortMappings: [HOST_PORTS.http, HOST_PORTS.https].map((port) => ({
          containerPort: port,
          hostPort: port,
          listenAddress: '127.0.0.1',
        })),
      },
    ],
  })
}

const kind = (args: readonly string[], input = ''): Promise<string> =>
  exec('kind', args, { input, env: environment('docker') }).catch((cause: unknown) => {
    if (!(cause instanceof LocalError) || cause.code !== 'ERR_PROGRAM_MISSING') throw cause
    throw new LocalError(
      'ERR_KIND_MISSING',
      'Docker answers, but kind is not on the PATH',
      `run \`go install sigs.k8s.io/kind@${KIND_VERSION}\`, or set PALISADE_BACKEND=bare to do without Docker`,
      cause,
    )
  })

const exists = async (): Promise<boolean> =>
  (await kind(['get', 'clusters'])).split('\n').includes(CLUSTER)

export const kindBackend = (layout: Layout): Backend => ({
  name: 'kind',
  podCidr: POD_CIDR,
  log: undefined, // Docker's, and `kind export logs` fetches it
  stackConfig: STACK_CONFIG,
  isThere: exists,
  startControlPlane: async (context) => {
    await mkdir(layout.state, { recursive: true, mode: 0o700 })
    if (await exists()) return 'unchanged'
    const [, version] = (await kind(['version'])).split(' ')
    if (version !== KIND_VERSION) context.note(`kind is ${version}; made for ${KIND_VERSION}`)
    const kubeconfig = kubeconfigPath(layout.state)
    await kind(
      ['create', 'cluster', '--config', '-', '--kubeconfig', kubeconfig],
      clusterConfig(NODE_IMAGE),
    )
    return 'created'
  },
  finishNode: async () => 'kind brings DNS, volumes and network policies',
  importImages: async (images, context) => {
    const docker = ['docker', 'exec', '--interactive', `${CLUSTER}-control-plane`, 'ctr']
    const made = await importImages(images, imageStore(cacheDir()), containerdAt(docker), context)
    return made.length === 0 ? 'unchanged' : `${made.length} imported`
  },
})

export async function deleteKind(layout: Layout): Promise<string> {
  if (!(await isDockerThere())) return 'no Docker here'
  const isThere = await exists().catch((error: unknown) => {
    // Docker may be here for something else: what kind never made it need not remove.
    if (error instanceof LocalError && error.code === 'ERR_KIND_MISSING') return false
    throw error
  })
  if (!isThere) return 'was not running'
  await kind(['delete', 'cluster', '--name', CLUSTER, '--kubeconfig', kubeconfigPath(layout.state)])
  return 'deleted'
}
