import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { PalisadeError } from '#core/problem'

/** A key as it is kept in the secret store: the private part never leaves store, memory and this type. */
export interface StoredSigningKey {
  readonly kid: string
  readonly privateJwk: JWK
  readonly createdAt: string
}

export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly publicJwk: JWK
}

/** A new key is published this long before it signs: verifiers keep the key set for five minutes. */
const PUBLISHED_BEFORE_USE_MS = 10 * 60_000

/** One key signs, all of them verify; which they are may change while the server runs. */
export class SigningKeys {
  #current: SigningKey
  #byKid: ReadonlyMap<string, SigningKey>

  /** @param current the one that signs */
  constructor(keys: readonly SigningKey[], current: SigningKey) {
    this.#current = current
    this.#byKid = new Map(keys.map((key) => [key.kid, key]))
  }

  get current(): SigningKey {
    return this.#current
  }

  /** A key that is gone verifies nothing from here on, whatever was remembered about its tokens. */
  replaceWith(other: SigningKeys): void {
    this.#current = other.#current
    this.#byKid = other.#byKid
  }

  /** A map lookup and nothing else: a `kid` is never a path, a query or an address. */
  find(kid: string): SigningKey | undefined {
    return this.#byKid.get(kid)
  }

  /** RFC 7517 5: public parts only, by construction. */
  jwks(): { readonly keys: readonly JWK[] } {
    return { keys: [...this.#byKid.values()].map((key) => key.publicJwk) }
  }
}

export async function makeSigningKey(now: Date): Promise<StoredSigningKey> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const privateJwk = privateKey.export({ format: 'jwk' }) as JWK
  // RFC 7638: the name of a key is its digest, so two writers cannot give one name to two keys.
  const kid = await calculateJwkThumbprint(privateJwk)
  return { kid, privateJwk, createdAt: now.toISOString() }
}

export function loadSigningKeys(stored: readonly StoredSigningKey[], now: Date): SigningKeys {
  const inOrder = [...stored].sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
  const keys = inOrder.map(loadSigningKey)
  const known = now.getTime() - PUBLISHED_BEFORE_USE_MS
  const usable = inOrder.findLastIndex(({ createdAt }) => Date.parse(createdAt) <= known)
  const current = keys[Math.max(0, usable)]
  if (!current) throw new PalisadeError('ERR_CONFIG_INVALID', 'there is no signing key')
  return new SigningKeys(keys, current)
}

function loadSigningKey(stored: StoredSigningKey): SigningKey {
  const { kty, crv, d } = stored.privateJwk
  if (kty !== 'EC' || crv !== 'P-256' || typeof d !== 'string') {
    throw new PalisadeError('ERR_CONFIG_INVALID', `signing key "${stored.kid}" is no P-256 key`)
  }
  const privateKey = createPrivateKey({ key: stored.privateJwk, format: 'jwk' })
  const publicKey = createPublicKey(privateKey)
  const publicJwk = {
    ...(publicKey.export({ format: 'jwk' }) as JWK),
    kid: stored.kid,
    use: 'sig',
    alg: 'ES256',
  }
  return { kid: stored.kid, privateKey, publicKey, publicJwk }
}
