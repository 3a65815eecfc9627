import { readFile } from 'node:fs/promises'
import { systemClock } from '#core/clock'
import { namespaceAccess } from '#core/namespace-access'
import { bindingCommand } from '#core/operator-binding'
import { PalisadeError } from '#core/problem'
import { usageError, type Command } from './command.ts'
import { vaultFrom } from './config.ts'

const TEMPLATE = new URL('../policies/vault/palisade-namespace.hcl', import.meta.url)
/** RFC 1123 label, as Kubernetes wants it: nothing in it can leave a path or a policy. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

export const enableCommand: Command = {
  usage: 'enable <namespace>',
  summary:
    'open the secret store for the rotations of a namespace; prints how the cluster is opened',
  async run(args, out) {
    const [namespace, ...rest] = args
    if (!namespace || rest.length > 0) throw usageError('one namespace is expected', this.usage)
    if (!NAMESPACE.test(namespace)) {
      throw usageError(`"${namespace}" is no name of a namespace`, this.usage)
    }
    const settings = vaultFrom()
    const { VaultClient } = await import('../gateway/keys/vault-client.ts')
    const vault = new VaultClient(settings, await readFile(settings.caFile, 'utf8'), systemClock)
    try {
      const { policy, role } = namespaceAccess(namespace, await readFile(TEMPLATE, 'utf8'))
      for (const { path, body } of [policy, role]) {
        const { status } = await vault.call('PUT', path, body)
        if (status >= 300) {
          throw new PalisadeError('ERR_STORE_REFUSED', `Vault answered ${status} to ${path}`, {
            remedy: `see that role "${settings.role}" has the policy palisade-onboarder`,
          })
        }
      }
    } finally {
      await vault.close()
    }
    // The store alone: what this account may do in the cluster is nothing.
    out(JSON.stringify({ enabled: namespace, roleBinding: bindingCommand(namespace) }))
    return 0
  },
}
