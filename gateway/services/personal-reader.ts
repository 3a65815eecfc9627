import { createDecipheriv } from 'node:crypto'
import { AUDIT_FORMAT, type PersonalEnvelope } from '#api/audit-event'
import type { OpenedFields } from '#api/rest/audit'
import { canonicalJson } from '#core/canonical-json'
import { PalisadeError } from '#core/problem'
import type { KeyWrapper } from '../ports/key-wrapper.ts'

/** Questions to the secret store at the same time, for one page. */
const PARALLEL = 16

/** May this caller see what the key of this name seals? */
export type MaySee = (keyName: string) => boolean

interface Carrier {
  readonly id: string
  readonly personal: readonly PersonalEnvelope[]
}

/**
 * Opens personal fields for whoever may see them. Keys are kept for one page and no longer: what is erased is erased
 * at the next question.
 */
export class PersonalReader {
  readonly #wrapper: Pick<KeyWrapper, 'unwrap'>

  constructor(wrapper: Pick<KeyWrapper, 'unwrap'>) {
    this.#wrapper = wrapper
  }

  /** @returns for each record its envelopes, in order; @throws PalisadeError when the secret store is away */
  async open(carriers: readonly Carrier[], maySee: MaySee): Promise<OpenedFields[][]> {
    const wanted = carriers.flatMap(({ personal }) => personal.filter(({ key }) => maySee(key)))
    const keys = await this.#unwrapAll(wanted)
    try {
      return carriers.map(({ id, personal }) =>
        personal.map((envelope): OpenedFields => {
          if (!maySee(envelope.key)) return { key: envelope.key, state: 'withheld' }
          const key = keys.get(keyId(envelope))
          return key ? openWith(key, envelope, id) : { key: envelope.key, state: 'erased' }
        }),
      )
    } finally {
      for (const key of keys.values()) key?.fill(0)
    }
  }

  async #unwrapAll(envelopes: readonly PersonalEnvelope[]) {
    const waiting = [...new Map(envelopes.map((one) => [keyId(one), one]))]
    const keys = new Map<string, Buffer | undefined>()
    const work = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        keys.set(next[0], await this.#unwrap(next[1]))
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, work))
    return keys
  }

  async #unwrap({ key, wrappedKey }: PersonalEnvelope): Promise<Buffer | undefined> {
    try {
      return Buffer.from(await this.#wrapper.unwrap(key, wrappedKey))
    } catch (error) {
      // Refused and not unavailable: the key of the person is gone, or is another one by now.
      if (error instanceof PalisadeError && error.code === 'ERR_SECRET_UNREADABLE') return undefined
      throw error
    }
  }
}

const keyId = ({ key, wrappedKey }: PersonalEnvelope) => `${key} ${wrappedKey}`

function openWith(key: Buffer, envelope: PersonalEnvelope, recordId: string): OpenedFields {
  const { key: name, nonce, ciphertext } = envelope
  const bytes = Buffer.from(ciphertext, 'base64url')
  const aad = canonicalJson({ format: AUDIT_FORMAT, id: recordId, key: name })
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
      authTagLength: 16,
    })
    decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(-16))
    const body = [decipher.update(bytes.subarray(0, -16)), decipher.final()]
    const fields = JSON.parse(Buffer.concat(body).toString('utf8')) as Partial<OpenedFields>
    return { ...fields, key: name, state: 'readable' }
  } catch {
    return { key: name, state: 'damaged' }
  }
}
