import { createCipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { AUDIT_FORMAT, type PersonalEnvelope } from '#api/audit-event'
import { canonicalJson } from '#core/canonical-json'
import type { Clock } from '#core/clock'
import type { KeyWrapper } from '../ports/key-wrapper.ts'

type FieldName = PersonalEnvelope['fields'][number]

interface FieldKey {
  /** Prepared once: a raw key costs each record twice what its encryption does. */
  readonly key: KeyObject
  readonly wrappedKey: string
  readonly until: number
}

const LIFETIME_MS = 60 * 60_000
const CAPACITY = 10_000

/**
 * Encrypts personal fields under a key of their subject. One data key per user, replica and hour, so that a record
 * costs no round trip; it stands wrapped in each record that uses it.
 */
export class PersonalFields {
  readonly #wrapper: KeyWrapper
  readonly #clock: Clock
  readonly #keys = new Map<string, Promise<FieldKey>>()

  constructor(wrapper: KeyWrapper, clock: Clock) {
    this.#wrapper = wrapper
    this.#clock = clock
  }

  /**
   * @param name of the transit key: the person's, or the tenant's where nobody of ours is known
   * @param recordId the record that will carry the envelope: in another record it does not open
   */
  async seal(
    name: `user-${string}` | `tenant-${string}`,
    recordId: string,
    fields: Readonly<Partial<Record<FieldName, string>>>,
  ): Promise<PersonalEnvelope> {
    const { key, wrappedKey } = await this.#keyOf(name)
    const nonce = randomBytes(12)
    const aad = canonicalJson({ format: AUDIT_FORMAT, id: recordId, key: name })
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad))
    const body = [cipher.update(canonicalJson(fields)), cipher.final(), cipher.getAuthTag()]
    return {
      key: name,
      fields: Object.keys(fields).sort() as FieldName[],
      algorithm: 'A256GCM',
      wrappedKey,
      nonce: nonce.toString('base64url'),
      ciphertext: Buffer.concat(body).toString('base64url'),
    }
  }

  async #keyOf(name: string): Promise<FieldKey> {
    const now = this.#clock.now().getTime()
    const known = await this.#keys.get(name)?.catch(() => undefined)
    if (known && known.until > now) return known
    const made = this.#make(name, now + LIFETIME_MS)
    if (this.#keys.size >= CAPACITY) this.#keys.clear()
    this.#keys.set(name, made)
    // A failure is not remembered: the next record asks again.
    made.catch(() => this.#keys.delete(name))
    return made
  }

  async #make(name: string, until: number): Promise<FieldKey> {
    await this.#wrapper.ensureKey(name)
    const key = randomBytes(32)
    const wrappedKey = await this.#wrapper.wrap(name, key)
    return { key: createSecretKey(key), wrappedKey, until }
  }
}
