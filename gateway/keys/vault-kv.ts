import { PalisadeError } from '#core/problem'
import type { VaultClient } from './vault-client.ts'

/** Vault KV v2 with check-and-set: what two replicas make at once exists once. */
export class VaultKv {
  readonly #vault: VaultClient
  readonly #mount: string

  constructor(vault: VaultClient, mount: string) {
    this.#vault = vault
    this.#mount = mount
  }

  async read(path: string): Promise<Record<string, string> | undefined> {
    const { status, body } = await this.#vault.call('GET', `${this.#mount}/data/${path}`)
    if (status === 404) return undefined
    const data = body['data'] as { data?: Record<string, string> | null } | undefined
    return data?.data ?? undefined
  }

  /** What is there, or what `make` gives when nothing is. */
  async readOrMake(
    path: string,
    make: () => Promise<Record<string, string>>,
  ): Promise<Record<string, string>> {
    const there = await this.read(path)
    if (there) return there
    const made = await make()
    const body = { data: made, options: { cas: 0 } }
    const answer = await this.#vault
      .call('POST', `${this.#mount}/data/${path}`, body)
      .catch((error: unknown) => error as PalisadeError)
    if ('body' in answer && answer.status === 200) return made
    // Another replica was first, and its value is the one. Vault says 400 then, or 403 where we may only create.
    const theirs = await this.read(path)
    if (theirs) return theirs
    throw new PalisadeError(
      'ERR_KEYS_UNAVAILABLE',
      `Vault refused to create ${this.#mount}/${path}`,
    )
  }
}
