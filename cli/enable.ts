import { bindingCommand, operatorBindingManifest } from '#core/operator-binding'
import { PalisadeError } from '#core/problem'
import { parseCall, usageError, type Command } from './command.ts'
import { kubeconfigFrom, vaultIfNamed, type VaultSettings } from './config.ts'
import type { Bound } from './enable-cluster.ts'
import { usable } from './usable.ts'

const OPTIONS = { 'dry-run': { type: 'boolean', default: false } } as const
/** RFC 1123 label, as Kubernetes wants it: nothing in it can leave a path or a policy. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/**
 * Two halves, and nobody needs the rights for both: the Job of the platform has the secret store and nothing in the
 * cluster, an administrator the cluster. Each call does what it is given the means for, and names the rest.
 */
export const enableCommand: Command = {
  usage: 'enable <namespace> [--dry-run]',
  summary:
    'let the operator work in a namespace: binds it there by your kubeconfig (--dry-run: prints the RoleBinding), opens the secret store at PALISADE_VAULT_ADDR',
  async run(args, out) {
    const { values, positionals } = parseCall(args, OPTIONS, this.usage)
    const [namespace, ...rest] = positionals
    if (!namespace || rest.length > 0) throw usageError('one namespace is expected', this.usage)
    if (!NAMESPACE.test(namespace)) {
      throw usageError(`"${namespace}" is no name of a namespace`, this.usage)
    }
    if (values['dry-run']) {
      const { stringify } = await import('yaml')
      out(stringify(operatorBindingManifest(namespace)).trimEnd())
      return 0
    }
    const [kubeconfig, store] = [kubeconfigFrom(), vaultIfNamed()]
    if (kubeconfig === undefined && store === undefined) throw nothingNamed()
    // The cluster first: it knows whether there is such a namespace.
    const bound = kubeconfig === undefined ? undefined : await bind(namespace, kubeconfig)
    if (store) await open(namespace, store)
    out(JSON.stringify(report(namespace, bound, store !== undefined)))
    return 0
  },
}

/** A context that somebody forgot to switch shows by the address of its cluster. */
interface Binding {
  readonly roleBinding: Bound
  readonly cluster: string
}

async function bind(namespace: string, kubeconfig: string): Promise<Binding> {
  const [{ endpointOf }, { bindOperator }] = await Promise.all([
    import('../operator/runtime/kubeconfig.ts'),
    import('./enable-cluster.ts'),
  ])
  const wanted = 'a kubeconfig that is there and with which "kubectl auth whoami" answers'
  const endpoint = await usable(kubeconfig, wanted, () => endpointOf(kubeconfig))
  return { roleBinding: await bindOperator(namespace, endpoint), cluster: endpoint.server }
}

async function open(namespace: string, store: VaultSettings): Promise<void> {
  const { openStore } = await import('./enable-store.ts')
  await openStore(namespace, store)
}

const nothingNamed = () =>
  new PalisadeError(
    'ERR_CONFIG_INVALID',
    'there is no kubeconfig: KUBECONFIG is not set, and there is no .kube/config at home',
    { remedy: 'set KUBECONFIG; or PALISADE_VAULT_ADDR, for the half in the secret store alone' },
  )

/** `next` is the half that is left, and how it is done. */
function report(namespace: string, bound: Binding | undefined, isOpen: boolean) {
  const binding = bound ?? { roleBinding: 'left' }
  const done = { namespace, ...binding, store: isOpen ? 'open' : 'left' }
  if (bound === undefined) return { ...done, next: bindingCommand(namespace) }
  if (isOpen) return done
  const next = `palisade enable ${namespace}, as the Job in examples/rotate-postgres-password/platform/2-open.yaml calls it`
  return { ...done, next }
}
