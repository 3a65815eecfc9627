import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { PalisadeError } from '../../core/problem.ts'
import type { KeyWrapper } from '../../gateway/ports/key-wrapper.ts'

/** Keys in memory that can be destroyed one by one, as in Vault; what was wrapped is refused from then on. */
export class ErasableKeys implements KeyWrapper {
  readonly #keys = new Map<string, Buffer>()
  /** Set, it answers nothing at all. */
  away = false

  destroy(keyName: string): void {
    this.#keys.delete(keyName)
  }

  async ensureKey(keyName: string): Promise<void> {
    if (!this.#keys.has(keyName)) this.#keys.set(keyName, randomBytes(32))
  }

  async wrap(keyName: string, plaintext: Uint8Array): Promise<string> {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(keyName) ?? Buffer.alloc(0), nonce)
    const parts = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(parts).toString('base64')
  }

  async unwrap(keyName: string, wrapped: string): Promise<Uint8Array> {
    if (this.away) throw new PalisadeError('ERR_KEYS_UNAVAILABLE', 'no answer')
    const key = this.#keys.get(keyName)
    const bytes = Buffer.from(wrapped, 'base64')
    if (!key) throw new PalisadeError('ERR_SECRET_UNREADABLE', `there is no key ${keyName}`)
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  }

  async ready() {
    return { ok: !this.away, reason: 'in memory' }
  }
}
