import { exec } from '../exec.ts'
import { toolPath } from '../tools/path.ts'
import { json } from './config.ts'
import type { Manifest } from './manifests/manifest.ts'

/** A server that is busy dying answers never; whoever waits for one asks again. */
const IN_TIME = '--request-timeout=20s'

export const kubectl = async (
  kubeconfig: string,
  args: readonly string[],
  input = '',
): Promise<string> =>
  exec(await toolPath('kubectl'), ['--kubeconfig', kubeconfig, IN_TIME, ...args], { input })

// Each answers undefined for "not yet", as `until` expects.
const orWait = (yes: boolean): true | undefined => (yes ? true : undefined)

/** Server-side apply under a name of our own; applying the same again changes nothing. */
export async function isApplied(kubeconfig: string, manifests: readonly Manifest[]): Promise<true> {
  const list = json({ apiVersion: 'v1', kind: 'List', items: manifests })
  const args = ['apply', '--server-side', '--force-conflicts', '--field-manager=palisade-local']
  await kubectl(kubeconfig, [...args, '-f', '-'], list)
  return true
}

export const isAnswering = async (kubeconfig: string): Promise<true | undefined> =>
  orWait((await kubectl(kubeconfig, ['get', '--raw', '/readyz'])) === 'ok')

export const isNodeReady = async (kubeconfig: string, node: string): Promise<true | undefined> => {
  const path = '{.status.conditions[?(@.type=="Ready")].status}'
  return orWait(
    (await kubectl(kubeconfig, ['get', 'node', node, '-o', `jsonpath=${path}`])) === 'True',
  )
}

export const isRolledOut = async (
  kubeconfig: string,
  namespace: string,
  workload: string,
): Promise<true | undefined> => {
  const args = ['-n', namespace, 'rollout', 'status', workload, '--watch=false']
  return orWait((await kubectl(kubeconfig, args)).includes('success'))
}
