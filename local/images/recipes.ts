import type { StepContext } from '../steps.ts'
import { binaryLayer, nginxLogs, scratchLayer } from './binary-layer.ts'
import type { Blob, BlobStore, Layers } from './blob-store.ts'
import { APP, controlLayers } from './control-layers.ts'
import { debianLayers } from './debian.ts'
import type { ContainerConfig } from './manifest.ts'
import { pauseLayer } from './pause.ts'

export interface Kitchen {
  readonly store: BlobStore
  readonly context: StepContext
  /** The path of a tool once it is built; it may take as long as the build. */
  readonly toolPath: (name: string) => Promise<string>
}

export interface Recipe {
  readonly layers: (kitchen: Kitchen) => Promise<readonly Blob[]>
  readonly config: ContainerConfig
}

const NOBODY_SPECIAL = '10001:10001'

/** Several images are cooked at once, and Debian is unpacked once for all of them. */
const debians = new WeakMap<BlobStore, Promise<Layers>>()

const debian = async ({ store, context }: Kitchen, ...names: string[]): Promise<Blob[]> => {
  const layers = debians.get(store) ?? debianLayers(store, context)
  debians.set(store, layers)
  const all = await layers
  return ['base', ...names].map((name) => {
    const layer = all[name]
    if (!layer) throw new Error(`Debian has no layer "${name}"`)
    return layer
  })
}

const onDebian = (component: string, config: Omit<ContainerConfig, 'user'>): Recipe => ({
  layers: (kitchen) => debian(kitchen, component),
  config: { user: NOBODY_SPECIAL, ...config },
})

const singleBinary = (
  tool: string,
  target = tool,
  links: Readonly<Record<string, string>> = {},
): Recipe => ({
  layers: async ({ store, toolPath }) => [
    await scratchLayer(store),
    await binaryLayer(store, await toolPath(tool), target, links),
  ],
  config: { user: NOBODY_SPECIAL, entrypoint: [`/${target}`] },
})

export const RECIPES: Readonly<Record<string, Recipe>> = {
  pause: {
    layers: async ({ store, context }) => [await pauseLayer(store, context.signal)],
    config: { user: '65535:65535', entrypoint: ['/pause'] },
  },
  coredns: singleBinary('coredns'),
  'kube-network-policies': singleBinary('kube-network-policies'),
  'cert-manager-controller': singleBinary('cert-manager-controller'),
  'cert-manager-webhook': singleBinary('cert-manager-webhook'),
  'cert-manager-cainjector': singleBinary('cert-manager-cainjector'),
  // CloudNativePG looks for itself as operator/manager_<architecture> and copies that into its instances.
  'cnpg-manager': singleBinary('cnpg-manager', 'operator/manager_amd64', {
    manager: 'operator/manager_amd64',
  }),
  'prometheus-operator': singleBinary('prometheus-operator', 'bin/operator'),
  'prometheus-config-reloader': singleBinary(
    'prometheus-config-reloader',
    'bin/prometheus-config-reloader',
  ),
  postgres: {
    layers: (kitchen) => debian(kitchen, 'postgres'),
    config: {
      user: '26:26',
      entrypoint: ['/usr/lib/postgresql/17/bin/postgres'],
      // First, so that no wrapper of the distribution stands before the server's own programs.
      env: { PATH: '/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/sbin:/usr/bin' },
      version: '17', // CloudNativePG takes the major version from the tag and refuses one without
    },
  },
  valkey: onDebian('valkey', { entrypoint: ['/usr/bin/valkey-server'] }),
  nginx: {
    layers: async (kitchen) => [
      ...(await debian(kitchen, 'nginx')),
      await nginxLogs(kitchen.store),
    ],
    config: { user: NOBODY_SPECIAL, entrypoint: ['/usr/sbin/nginx', '-g', 'daemon off;'] },
  },
  prometheus: onDebian('prometheus', { entrypoint: ['/usr/bin/prometheus'] }),
  alertmanager: onDebian('alertmanager', { entrypoint: ['/usr/bin/prometheus-alertmanager'] }),
  openbao: {
    layers: async (kitchen) => [
      ...(await debian(kitchen)),
      await binaryLayer(kitchen.store, await kitchen.toolPath('bao'), 'usr/local/bin/bao'),
    ],
    config: { user: NOBODY_SPECIAL, entrypoint: ['/usr/local/bin/bao'] },
  },
  control: {
    layers: async (kitchen) => [
      ...(await debian(kitchen)),
      ...(await controlLayers(kitchen.store, kitchen.context.signal)),
    ],
    config: {
      user: NOBODY_SPECIAL,
      entrypoint: ['/usr/local/bin/node'],
      env: { NODE_ENV: 'production', NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      workingDir: `/${APP}`,
    },
  },
}
