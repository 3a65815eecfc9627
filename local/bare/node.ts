import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plannedPath } from '../tools/path.ts'
import { componentsOf, type ToolPaths } from './components.ts'
import * as config from './config.ts'
import { type Layout, NODE, socketOf } from './layout.ts'
import { prepareCommands } from './prepare.ts'
import type { NodeSpec } from './spec.ts'

const DATA = ['etcd', 'containerd', 'kubelet', 'volumes', 'var', 'var-work']
const INSIDE_KUBECONFIG = 'admin.kubeconfig'
const KUBECONFIG_USERS = ['controller-manager', 'scheduler', 'kube-proxy', 'provisioner']

/** The administrator's, for a program that runs in the node's network: the port there has no offset. */
export const insideKubeconfigPath = (layout: Layout): string =>
  join(layout.config, INSIDE_KUBECONFIG)

export async function makeFolders(layout: Layout): Promise<void> {
  // Parents are closed to other users; the volumes inside are open to whatever user a pod has.
  await mkdir(layout.state, { recursive: true, mode: 0o700 })
  await chmod(layout.state, 0o700) // it may have been there before
  for (const folder of [layout.pki, layout.logs, layout.run, join(layout.config, 'cni')]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  }
  for (const name of DATA) {
    await mkdir(join(layout.data, name), { recursive: true, mode: name === 'etcd' ? 0o700 : 0o755 })
  }
}

/** Writes every configuration file and returns their text, which is part of what "the same node" means. */
export async function writeConfigs(layout: Layout, pauseImage: string): Promise<string> {
  const inside = `https://127.0.0.1:${NODE.apiPort}`
  const encryptionKey = (await readFile(join(layout.pki, 'encryption.key'), 'utf8')).trim()
  const files: Record<string, string> = {
    'admission.json': config.admissionConfig(),
    'audit-policy.json': config.auditPolicy(),
    'encryption.json': config.encryptionConfig(encryptionKey),
    'kubelet.json': config.kubeletConfig(layout),
    'kube-proxy.json': config.kubeProxyConfig(layout),
    'containerd.toml': config.containerdConfig(layout, pauseImage),
    'cni/10-palisade.conflist': config.cniConfig(),
    [INSIDE_KUBECONFIG]: config.kubeconfig(layout, 'admin', inside),
    'kubelet.kubeconfig': config.kubeconfig(layout, 'kubelet-client', inside),
  }
  for (const user of KUBECONFIG_USERS) {
    files[`${user}.kubeconfig`] = config.kubeconfig(layout, user, inside)
  }
  for (const [name, text] of Object.entries(files)) {
    await writeIfChanged(join(layout.config, name), text)
  }
  return JSON.stringify(files)
}

/** kube-proxy ends whenever its file is touched, and the API server reads some of them again. */
async function writeIfChanged(path: string, text: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before !== text) await writeFile(path, text, { mode: 0o600 })
}

export async function nodeSpec(layout: Layout, packages: string): Promise<NodeSpec> {
  const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const
  const entries = [...names, 'kubelet', 'kube-proxy'].map(
    async (name) => [name, await plannedPath(name)] as const,
  )
  const tools = Object.fromEntries(await Promise.all(entries)) as ToolPaths
  return {
    prepare: prepareCommands(layout, packages),
    components: componentsOf(layout, tools, process.execPath),
    forwards: [
      { socket: socketOf(layout, 'api'), host: NODE.address, port: NODE.apiPort },
      { socket: socketOf(layout, 'http'), host: NODE.address, port: 8080 },
      { socket: socketOf(layout, 'https'), host: NODE.address, port: 8443 },
    ],
  }
}
