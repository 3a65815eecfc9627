import { randomBytes } from 'node:crypto'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import {
  loadSigningKeys,
  makeSigningKey,
  type SigningKeys,
  type StoredSigningKey,
} from '../identity/signing-keys.ts'
import type { MacKey } from '../services/secret-heads.ts'
import type { VaultKv } from './vault-kv.ts'

/** The gateway's own keys, the same for every replica. */
export interface PlatformKeys {
  readonly signing: SigningKeys
  readonly auditMac: readonly MacKey[]
  readonly headMac: readonly MacKey[]
}

/** Each is made once, on the first start of the first replica. */
export async function loadPlatformKeys(kv: VaultKv, clock: Clock): Promise<PlatformKeys> {
  const [jwt, audit, head] = await Promise.all([
    kv.readOrMake('gateway/jwt-keys', async () => ({
      keys: JSON.stringify([await makeSigningKey(clock.now())]),
    })),
    kv.readOrMake('gateway/audit-mac', async () => makeMacKeys('audit', clock)),
    kv.readOrMake('gateway/head-mac', async () => makeMacKeys('head', clock)),
  ])
  return {
    signing: readSigningKeys(jwt, clock),
    auditMac: readMacKeys(audit, 'audit-mac'),
    headMac: readMacKeys(head, 'head-mac'),
  }
}

const readSigningKeys = (value: Record<string, string>, clock: Clock) =>
  loadSigningKeys(parseKeys(value, 'jwt-keys') as StoredSigningKey[], clock.now())

/** The key set of now, or undefined when it cannot be read or used: what is loaded stays good. */
export async function reloadSigningKeys(
  kv: Pick<VaultKv, 'read'>,
  clock: Clock,
  onFailure: (error: unknown) => void,
): Promise<SigningKeys | undefined> {
  try {
    const value = await kv.read('gateway/jwt-keys')
    return value && readSigningKeys(value, clock)
  } catch (error) {
    onFailure(error)
    return undefined
  }
}

/** `keys` is a JSON list `[{id, key}]`, oldest first; the last one signs, the others verify. */
const makeMacKeys = (purpose: string, clock: Clock) => ({
  keys: JSON.stringify([
    {
      id: `${purpose}-${clock.now().toISOString().slice(0, 10)}-${randomBytes(3).toString('hex')}`,
      key: randomBytes(32).toString('base64url'),
    },
  ]),
})

export function readMacKeys(value: Record<string, string>, name: string): MacKey[] {
  return (parseKeys(value, name) as { id?: unknown; key?: unknown }[]).map(({ id, key }) => {
    const bytes = typeof key === 'string' ? Buffer.from(key, 'base64url') : Buffer.alloc(0)
    if (typeof id !== 'string' || bytes.length < 32) throw unusable(name)
    return { id, key: Sealed.of<Uint8Array>(bytes) }
  })
}

function parseKeys(value: Record<string, string>, name: string): unknown[] {
  try {
    const keys: unknown = JSON.parse(value['keys'] ?? '')
    if (Array.isArray(keys) && keys.length > 0) return keys
  } catch {
    // Said below; the text itself must not appear.
  }
  throw unusable(name)
}

const unusable = (name: string) =>
  new PalisadeError('ERR_CONFIG_INVALID', `platform/gateway/${name} holds no usable keys`)
