import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureObjects, PATIENCE_MS } from '../cluster/ensure-objects.ts'
import { withCluster } from '../cluster/open.ts'
import { prune } from '../cluster/prune.ts'
import type { Image } from '../images/archive.ts'
import { ensureImages, imageStore, referencesOf } from '../images/ensure.ts'
import { containerdAt, importImages } from '../images/import.ts'
import { cacheDir, kubeconfigPath } from '../paths.ts'
import type { KubeApi } from '../provider/kubernetes/api.ts'
import { conditionOf } from '../provider/kubernetes/object.ts'
import { type StepContext, until } from '../steps.ts'
import { waitForTool } from '../tools/wait.ts'
import { kubeconfig } from './config.ts'
import { NODE_PACKAGES, unpackPackages } from './debian.ts'
import { enterNode, insideNode } from './inside.ts'
import { HOST_PORTS, type Layout, NODE } from './layout.ts'
import { clusterManifests } from './manifests/cluster.ts'
import { makeFolders, nodeSpec, writeConfigs } from './node.ts'
import { ensurePki } from './pki.ts'
import { rememberSysctls } from './sysctls.ts'
import { noPodIsFromBefore } from './stale-pods.ts'
import { ensureRelay, ensureTree, runningNode } from './tree.ts'

/** A server that is busy dying never answers. */
const ASK_AGAIN_MS = 20_000

const NODE_IMAGES = ['pause', 'coredns', 'kube-network-policies']

/** Starts the node's namespaces; the kubelet inside waits for its program if that still compiles. */
export async function startControlPlane(layout: Layout, context: StepContext): Promise<string> {
  await makeFolders(layout)
  const keysMade = await ensurePki(layout.pki)
  const packages = await unpackPackages(NODE_PACKAGES, context)
  const [pause] = await nodeImages(layout, context, ['pause'])
  await rememberSysctls(layout)
  const configs = await writeConfigs(layout, pause?.reference ?? '')
  const started = await ensureTree(layout, await nodeSpec(layout, packages.root), configs)
  const relayed = await ensureRelay(layout)
  const server = `https://127.0.0.1:${HOST_PORTS.api}`
  const config = kubeconfig(layout, 'admin', server)
  await writeFile(kubeconfigPath(layout.state), config, { mode: 0o600 })
  context.note('waiting for the API server')
  const answers = (api: KubeApi): Promise<true> =>
    until('an answer from the API server', () => api.readyz().then(() => true), {
      timeoutMs: PATIENCE_MS,
      context,
    })
  await withCluster(kubeconfigPath(layout.state), answers, ASK_AGAIN_MS)
  if (started) return keysMade ? 'keys made, started' : 'started'
  return relayed ? 'relay started' : 'unchanged'
}

/** Brings the node to Ready with DNS, network policies and volumes. */
export async function finishNode(layout: Layout, context: StepContext): Promise<string> {
  const images = await ensureNodeImages(layout, context)
  const wait = <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> => {
    context.note(`waiting for ${what}`)
    return until(what, probe, { timeoutMs: PATIENCE_MS, context })
  }
  return withCluster(kubeconfigPath(layout.state), async (api) => {
    const [stateDir, manifests] = [layout.state, clusterManifests(images)]
    // The API server says that it is ready before its store has settled after a crash.
    const removed = await wait('the objects of the cluster', async () => {
      await ensureObjects(api, { name: 'node', manifests, stateDir, context })
      return prune(api, { names: ['node'], manifests, stateDir, context })
    })
    await wait('the node to be Ready', () => isNodeReady(api))
    const since = (await runningNode(layout))?.startedAt
    if (since !== undefined) await wait('pods of before', () => noPodIsFromBefore(api, since))
    return `node ${NODE.name} is Ready${removed === 0 ? '' : `, ${removed} removed`}`
  })
}

async function isNodeReady(api: KubeApi): Promise<true | undefined> {
  const node = await api.find({ apiVersion: 'v1', kind: 'Node', name: NODE.name })
  return node && conditionOf(node, 'Ready')?.status === 'True' ? true : undefined
}

async function ensureNodeImages(
  layout: Layout,
  context: StepContext,
): Promise<{ coredns: string; networkPolicies: string }> {
  const images = await nodeImages(layout, context, NODE_IMAGES)
  await importIntoNode(layout, images, context)
  const references = referencesOf(images)
  return {
    coredns: references.coredns ?? '',
    networkPolicies: references['kube-network-policies'] ?? '',
  }
}

/** As soon as containerd answers, whether or not the node is Ready. Answers the images that it did not have. */
export async function importIntoNode(
  layout: Layout,
  images: readonly Image[],
  context: StepContext,
): Promise<readonly Image[]> {
  await until('containerd', () => isContainerdUp(layout.state), { timeoutMs: PATIENCE_MS, context })
  return importImages(images, imageStore(cacheDir()), await nodeContainerd(layout), context)
}

const isContainerdUp = async (state: string): Promise<true | undefined> => {
  await insideNode(state, ['ctr', 'version'])
  return true
}

const nodeImages = (
  layout: Layout,
  context: StepContext,
  only: readonly string[],
): Promise<readonly Image[]> =>
  ensureImages({
    cacheDir: cacheDir(),
    stateDir: layout.state,
    toolPath: waitForTool(context.signal),
    context,
    only,
  })

/** containerd of the running node. */
export const nodeContainerd = async (layout: Layout): Promise<ReturnType<typeof containerdAt>> =>
  containerdAt([...(await enterNode(layout.state)), 'ctr'])

export const nodeLog = (layout: Layout): string => join(layout.logs, 'node.log')
