import { ANNOTATION_SEQ, FINALIZER, LABEL_ROTATION } from '#api/v1alpha1/names'
import { exec } from '../exec.ts'
import { toolPath } from '../tools/path.ts'
import type { Orphan, OurResources, Resource } from './our-resources.ts'

const GROUP = 'palisade.dev'
const OPERATOR = ['deployment', 'operator', '-n', 'palisade-system', '--ignore-not-found']

interface Item {
  readonly kind: string
  readonly metadata: Omit<Resource, 'kind' | 'finalizers'> & { finalizers?: readonly string[] }
}

interface Event {
  readonly involvedObject: { readonly uid?: string }
  readonly message: string
}

export type Kubectl = (...args: readonly string[]) => Promise<string>

/** Every call ends: a cluster that stopped to answer must not hold a destroy for ever. */
export const kubectlFor =
  (kubeconfig: string, signal: AbortSignal): Kubectl =>
  async (...args) =>
    exec(
      await toolPath('kubectl'),
      ['--kubeconfig', kubeconfig, '--request-timeout=90s', ...args],
      { signal },
    )

const itemsOf = <T>(text: string): readonly T[] => (JSON.parse(text) as { items: T[] }).items

export function ourResources(kubectl: Kubectl): OurResources {
  /** Asked each time: in a stack that is half made or half gone our definitions may not be there. */
  const kinds = async (namespaced: boolean): Promise<string | undefined> => {
    const wish = [`--api-group=${GROUP}`, `--namespaced=${namespaced}`, '--verbs=delete']
    const found = (await kubectl('api-resources', ...wish, '-o', 'name')).split('\n')
    const names = found.filter((name) => name.endsWith(`.${GROUP}`))
    return names.length === 0 ? undefined : names.join(',')
  }
  const removeAll = async (namespaced: boolean): Promise<void> => {
    const all = await kinds(namespaced)
    const where = namespaced ? ['--all-namespaces'] : []
    if (all !== undefined) await kubectl('delete', all, '--all', ...where, '--wait=false')
  }
  return {
    async list() {
      const all = await kinds(true)
      if (all === undefined) return []
      const text = await kubectl('get', all, '--all-namespaces', '-o', 'json')
      return itemsOf<Item>(text).map(({ kind, metadata }) => {
        const { namespace, name, uid, finalizers = [] } = metadata
        return { kind, namespace, name, uid, finalizers }
      })
    },
    remove: () => removeAll(true),
    removeBackends: () => removeAll(false),
    async isOperatorThere() {
      const ready = await kubectl('get', ...OPERATOR, '-o', 'jsonpath={.status.readyReplicas}')
      return Number(ready) > 0
    },
    async removeOperator() {
      await kubectl('delete', ...OPERATOR, '--cascade=foreground', '--timeout=60s')
    },
    async letGo({ kind, namespace, name, finalizers }) {
      const rest = finalizers.filter((one) => one !== FINALIZER)
      const patch = JSON.stringify({ metadata: { finalizers: rest } })
      const which = [`${kind}.${GROUP}`, name, '-n', namespace]
      await kubectl('patch', ...which, '--type=merge', '-p', patch).catch((error: unknown) => {
        if (!String(error).includes('(NotFound)')) throw error // it went while we looked
      })
    },
    async forgetNumbers() {
      const which = ['secrets', '--all-namespaces', '--selector', LABEL_ROTATION]
      await kubectl('annotate', ...which, `${ANNOTATION_SEQ}-`)
    },
    async orphans(): Promise<readonly Orphan[]> {
      const wish = ['--all-namespaces', '--field-selector=reason=Orphaned', '-o', 'json']
      return itemsOf<Event>(await kubectl('get', 'events', ...wish)).map((event) => ({
        uid: event.involvedObject.uid ?? '',
        note: event.message,
      }))
    },
  }
}
