import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonicalJson } from '#core/canonical-json'
import { PalisadeError } from '#core/problem'
import type { Sealed } from '#core/sealed'
import type { SecretHead } from '../ports/secrets.ts'

export interface MacKey {
  readonly id: string
  readonly key: Sealed<Uint8Array>
}

/** What the MAC covers, and no more: times are the database's own. */
type HeadState = Omit<SecretHead, 'keyId' | 'mac'>

/** Guards the current version and deletion of each secret by a key that the database never sees. */
export class SecretHeads {
  readonly #current: MacKey
  readonly #byId: ReadonlyMap<string, MacKey>

  /** @param keys the last one signs, all of them verify */
  constructor(keys: readonly MacKey[]) {
    const current = keys.at(-1)
    if (!current) throw new PalisadeError('ERR_CONFIG_INVALID', 'there is no key for secret heads')
    this.#current = current
    this.#byId = new Map(keys.map((key) => [key.id, key]))
  }

  sign(tenantId: string, state: HeadState): SecretHead {
    return { ...state, keyId: this.#current.id, mac: macOf(this.#current, tenantId, state) }
  }

  /** Keyed, since a plain digest of a request that holds a weak secret would let a reader of the table guess it. */
  digestRequest(request: object): Buffer {
    return createHmac('sha256', this.#current.key.reveal()).update(canonicalJson(request)).digest()
  }

  /** Refuses a head that was put back, moved to another secret or tenant, or changed by hand. */
  check(tenantId: string, head: SecretHead): void {
    const key = this.#byId.get(head.keyId)
    const expected = key && macOf(key, tenantId, head)
    if (!expected || head.mac.length !== expected.length || !timingSafeEqual(head.mac, expected)) {
      throw new PalisadeError(
        'ERR_SECRET_ROLLED_BACK',
        `the head of secret ${head.secretId} does not match its MAC`,
      )
    }
  }
}

function macOf({ id, key }: MacKey, tenantId: string, head: HeadState): Buffer {
  const text = canonicalJson({
    key: id,
    tenant: tenantId,
    secret: head.secretId,
    name: head.name,
    currentVersion: head.currentVersion,
    deleted: head.deleted,
  })
  return createHmac('sha256', key.reveal()).update(text).digest()
}
