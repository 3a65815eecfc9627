import { PalisadeError } from '#core/problem'
import type { KeyWrapper } from '../ports/key-wrapper.ts'
import type { VaultClient } from './vault-client.ts'

/** Keys that never leave Vault: one per tenant, one per user; deleting one erases what it wrapped. */
export class VaultTransitWrapper implements KeyWrapper {
  readonly #vault: VaultClient
  readonly #mount: string

  constructor(vault: VaultClient, mount = 'transit') {
    this.#vault = vault
    this.#mount = mount
  }

  async ensureKey(keyName: string): Promise<void> {
    // Creating a key that exists changes nothing (Vault answers 204 or 200), so two replicas may race.
    const path = `${this.#mount}/keys/${keyName}`
    // Not exportable and not deletable are Vault's defaults; the policy refuses a request that names them at all.
    const { status } = await this.#vault.call('POST', path, { type: 'aes256-gcm96' })
    if (status >= 300) throw refused('make', keyName)
  }

  async wrap(keyName: string, plaintext: Uint8Array): Promise<string> {
    const text = await this.#ask('encrypt', keyName, {
      plaintext: Buffer.from(plaintext).toString('base64'),
    })
    return text['ciphertext'] ?? ''
  }

  async unwrap(keyName: string, wrapped: string): Promise<Uint8Array> {
    const text = await this.#ask('decrypt', keyName, { ciphertext: wrapped })
    return Buffer.from(text['plaintext'] ?? '', 'base64')
  }

  ready() {
    return this.#vault.health()
  }

  async #ask(verb: 'encrypt' | 'decrypt', keyName: string, body: object) {
    const { status, body: answer } = await this.#vault.call(
      'POST',
      `${this.#mount}/${verb}/${keyName}`,
      body,
    )
    if (status !== 200) throw refused(verb, keyName)
    return answer['data'] as Record<string, string>
  }
}

const refused = (verb: string, keyName: string) =>
  new PalisadeError(
    verb === 'decrypt' ? 'ERR_SECRET_UNREADABLE' : 'ERR_KEYS_UNAVAILABLE',
    `Vault refused to ${verb} with key ${keyName}`,
  )
