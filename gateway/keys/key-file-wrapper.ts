import type { Sealed } from '#core/sealed'
import type { KeyWrapper } from '../ports/key-wrapper.ts'
import { deriveKey, unwrapWith, wrapWith } from './key-file.ts'

/**
 * Keys per tenant derived from one file, for the embedded mode. What it does not give: a key that can be deleted
 * for one tenant alone, and a key that the process cannot read; both need Vault.
 */
export class KeyFileWrapper implements KeyWrapper {
  readonly #root: Sealed<Buffer>

  constructor(root: Sealed<Buffer>) {
    this.#root = root
  }

  async ensureKey(): Promise<void> {}

  async wrap(keyName: string, plaintext: Uint8Array): Promise<string> {
    return wrapWith(deriveKey(this.#root, `wrap/${keyName}`), plaintext)
  }

  async unwrap(keyName: string, wrapped: string): Promise<Uint8Array> {
    return unwrapWith(deriveKey(this.#root, `wrap/${keyName}`), wrapped)
  }

  async ready() {
    return { ok: true, reason: 'key file' }
  }
}
