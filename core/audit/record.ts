import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { canonicalJson } from '../canonical-json.ts'
import { leafHash } from './merkle.ts'

/** Told apart from every other use of the key. */
const MAC_DOMAIN = Buffer.from('palisade audit record v1\n')

export interface MacKey {
  readonly id: string
  /** 256 random bits, kept outside the database and never destroyed before the records' retention ends. */
  readonly secret: Uint8Array
}

export interface SignedRecord {
  /** RFC 8785 text: what is stored, hashed into the log and shown to an auditor. */
  readonly bytes: Buffer
  /** By the writer, before the transaction commits: guards the record until it is sealed, and inside the house. */
  readonly mac: Buffer
  /** RFC 6962 leaf hash of the bytes; needs no key to check. */
  readonly leaf: Buffer
  readonly keyId: string
}

/** The event must name its own id, tenant, time and MAC key, so that none of them can be swapped around it. */
export function signRecord(event: object, key: MacKey): SignedRecord {
  const bytes = Buffer.from(canonicalJson(event))
  return { bytes, mac: macOf(bytes, key.secret), leaf: leafHash(bytes), keyId: key.id }
}

export function isAuthentic(bytes: Uint8Array, mac: Uint8Array, secret: Uint8Array): boolean {
  const expected = macOf(bytes, secret)
  return mac.length === expected.length && timingSafeEqual(expected, mac)
}

// A raw key is prepared anew for every MAC, which costs four times the MAC itself.
const prepared = new WeakMap<Uint8Array, KeyObject>()

function keyOf(secret: Uint8Array): KeyObject {
  const known = prepared.get(secret)
  if (known) return known
  const key = createSecretKey(secret)
  prepared.set(secret, key)
  return key
}

function macOf(bytes: Uint8Array, secret: Uint8Array): Buffer {
  return createHmac('sha256', keyOf(secret)).update(MAC_DOMAIN).update(bytes).digest()
}
