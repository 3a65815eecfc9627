import { readFile } from 'node:fs/promises'
import { systemClock } from '#core/clock'
import { namespaceAccess } from '#core/namespace-access'
import { PalisadeError } from '#core/problem'
import { VaultClient } from '../gateway/keys/vault-client.ts'
import type { VaultSettings } from './config.ts'

const TEMPLATE = new URL('../policies/vault/palisade-namespace.hcl', import.meta.url)

/** Writes the policy of a namespace and the role by which the operator gets it. Repeating it changes nothing. */
export async function openStore(namespace: string, settings: VaultSettings): Promise<void> {
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
}
