import { PalisadeError } from '#core/problem'
import type { Versioned, WriteOutcome } from '../ports.ts'
import type { VaultClient } from './vault-client.ts'

interface ReadBody {
  readonly data?: {
    readonly data: Record<string, unknown> | null
    readonly metadata: { readonly version: number }
  } | null
}

const NONE_THERE = 404

/** KV v2 under one role. Every write is a compare-and-set; the mounts refuse any other. */
export class VaultKv {
  readonly #client: VaultClient
  readonly #mount: string

  constructor(client: VaultClient, mount: string) {
    this.#client = client
    this.#mount = mount
  }

  /** A deleted or destroyed version has no value, and its number still counts for the next write. */
  async read(
    role: string,
    path: string,
    signal: AbortSignal,
    version?: number,
  ): Promise<Versioned<Record<string, unknown> | undefined> | undefined> {
    const query = version === undefined ? '' : `?version=${version}`
    const answer = await this.#client.call(
      role,
      'GET',
      `${this.#mount}/data/${path}${query}`,
      undefined,
      signal,
    )
    this.#insist(answer.status, 'read', path, NONE_THERE)
    const { data } = answer.body as ReadBody
    if (!data?.metadata) return undefined
    return { value: data.data ?? undefined, cas: data.metadata.version }
  }

  /** Names below a folder, folders with a slash at the end; none where there is no such folder. */
  async list(role: string, path: string, signal: AbortSignal): Promise<readonly string[]> {
    const place = `${this.#mount}/metadata/${path}`
    const answer = await this.#client.call(role, 'GET', `${place}?list=true`, undefined, signal)
    this.#insist(answer.status, 'list', path, NONE_THERE)
    return (answer.body as { data?: { keys?: readonly string[] } }).data?.keys ?? []
  }

  async write(
    role: string,
    path: string,
    value: object,
    cas: number,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    const body = { options: { cas }, data: value }
    const answer = await this.#client.call(
      role,
      'POST',
      `${this.#mount}/data/${path}`,
      body,
      signal,
    )
    const errors = (answer.body as { errors?: string[] }).errors ?? []
    if (answer.status === 400 && errors.some((text) => text.includes('check-and-set'))) {
      return { kind: 'stale' }
    }
    this.#insist(answer.status, 'write', path)
    const written = answer.body as { data: { version: number } }
    return { kind: 'written', cas: written.data.version }
  }

  async destroy(role: string, path: string, version: number, signal: AbortSignal): Promise<void> {
    const body = { versions: [version] }
    const answer = await this.#client.call(
      role,
      'PUT',
      `${this.#mount}/destroy/${path}`,
      body,
      signal,
    )
    this.#insist(answer.status, 'destroy', path)
  }

  /** No more old versions than a rotation needs; said per path, whatever the mount's default is. */
  async keepAtMost(
    role: string,
    path: string,
    versions: number,
    signal: AbortSignal,
  ): Promise<void> {
    const body = { max_versions: versions }
    const answer = await this.#client.call(
      role,
      'POST',
      `${this.#mount}/metadata/${path}`,
      body,
      signal,
    )
    this.#insist(answer.status, 'configure', path)
  }

  /** Whatever is no success is no success, and not an answer without content. */
  #insist(status: number, act: string, path: string, orElse?: number): void {
    if (status < 300 || status === orElse) return
    const answered = status === 403 ? 'does not allow to' : `answered ${status} to a wish to`
    throw new PalisadeError(
      'ERR_STORE_REFUSED',
      `the store ${answered} ${act} ${this.#mount}/${path}`,
    )
  }
}
