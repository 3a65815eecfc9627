import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { kubeconfigPath, stateDir } from '../../local/paths.ts'
import { insideNode } from '../../local/bare/inside.ts'
import { toolPath } from '../../local/tools/path.ts'

const run = promisify(execFile)
/** Longer than any test has kubectl wait for something. */
const LIMIT_MS = 240_000

/** Runs kubectl against the platform of this machine and answers its standard output. */
export async function kubectl(...args: readonly string[]): Promise<string> {
  if (!existsSync(kubeconfigPath())) {
    throw new Error('the platform does not run on this machine: run `make up` first')
  }
  const { stdout } = await run(
    await toolPath('kubectl'),
    ['--kubeconfig', kubeconfigPath(), ...args],
    { maxBuffer: 64 * 1024 * 1024, timeout: LIMIT_MS },
  )
  return stdout
}

/** The parsed answer of `kubectl … -o json`. */
export async function kubectlJson<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl(...args, '-o', 'json')) as T
}

/** Applies manifests given as text, server-side. */
export async function apply(manifest: string): Promise<string> {
  const child = run(await toolPath('kubectl'), [
    '--kubeconfig',
    kubeconfigPath(),
    'apply',
    '--server-side',
    '--force-conflicts',
    '--field-manager=palisade-test',
    '-f',
    '-',
  ])
  child.child.stdin?.end(manifest)
  return (await child).stdout
}

export const applyAll = (items: readonly object[]): Promise<string> =>
  apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))

export interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string }
  readonly status: {
    readonly podIP?: string
    readonly phase: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/** Ready Pods of a namespace that carry a label. */
export async function readyPods(namespace: string, selector: string): Promise<Pod[]> {
  const list = await kubectlJson<{ items: Pod[] }>('get', 'pods', '-n', namespace, '-l', selector)
  return list.items.filter((pod) =>
    pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
  )
}

/** Runs a program in the node's namespaces, with this machine's file system replaced by the node's. */
export const onNode = (...argv: readonly string[]): Promise<string> => insideNode(stateDir(), argv)
