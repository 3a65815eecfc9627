// For machines with Docker. Not run where this was written, since it had no Docker: kept small, pinned
// and free of anything that the bare backend does in another way.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend.ts'
import { json } from '../bare/config.ts'
import { HOST_PORTS, type Layout } from '../bare/layout.ts'
import { exec } from '../exec.ts'
import { imageStore } from '../images/ensure.ts'
import { containerdAt, importImages } from '../images/import.ts'
import { cacheDir, kubeconfigPath } from '../paths.ts'

const CLUSTER = 'palisade'
const NODE_IMAGE = 'kindest/node:v1.34.0'
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
  exec('docker', ['info', '--format', '{{.ServerVersion}}']).then(
    () => true,
    () => false,
  )

const clusterConfig = (): string =>
  json({
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
        image: NODE_IMAGE,
        extraPortMappings: [HOST_PORTS.http, HOST_PORTS.https].map((port) => ({
          containerPort: port,
          hostPort: port,
          listenAddress: '127.0.0.1',
        })),
      },
    ],
  })

const kind = (args: readonly string[], input = ''): Promise<string> => exec('kind', args, { input })

const exists = async (): Promise<boolean> =>
  (await kind(['get', 'clusters'])).split('\n').includes(CLUSTER)

export const kindBackend = (layout: Layout): Backend => ({
  name: 'kind',
  podCidr: POD_CIDR,
  log: join(layout.logs, 'kind'),
  stackConfig: STACK_CONFIG,
  startControlPlane: async () => {
    await mkdir(layout.state, { recursive: true, mode: 0o700 })
    if (await exists()) return 'unchanged'
    const kubeconfig = kubeconfigPath(layout.state)
    await kind(['create', 'cluster', '--config', '-', '--kubeconfig', kubeconfig], clusterConfig())
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
  if (!(await exists())) return 'was not running'
  await kind(['delete', 'cluster', '--name', CLUSTER, '--kubeconfig', kubeconfigPath(layout.state)])
  return 'deleted'
}
