import type { MacKey } from '#core/audit/record'
import { PalisadeError } from '#core/problem'
import { readMacKeys } from '../keys/platform-keys.ts'
import type { VaultKv } from '../keys/vault-kv.ts'

/** The key that authenticates records, as the gateway made it; the last one signs. */
export async function macKeyFrom(kv: Pick<VaultKv, 'read'>): Promise<MacKey> {
  const value = await kv.read('gateway/audit-mac')
  const key = value && readMacKeys(value, 'audit-mac').at(-1)
  if (key) return { id: key.id, secret: key.key.reveal() }
  throw new PalisadeError('ERR_KEYS_UNAVAILABLE', 'there is no MAC key of audit records yet', {
    remedy: 'start the gateway once, which makes it',
  })
}
