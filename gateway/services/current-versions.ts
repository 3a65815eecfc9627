export interface KnownVersion {
  readonly secretId: string
  readonly version: number
}

const CAPACITY = 10_000

/**
 * What this replica believes to be current. A belief, nothing more: it lets a record name the version before the one
 * round trip that reads it, and the store answers `moved` when it is wrong.
 */
export class CurrentVersions {
  readonly #known = new Map<string, KnownVersion>()

  find(tenantId: string, name: string): KnownVersion | undefined {
    return this.#known.get(`${tenantId}/${name}`)
  }

  learn(tenantId: string, name: string, known: KnownVersion): void {
    if (this.#known.size >= CAPACITY) {
      const oldest = this.#known.keys().next()
      if (!oldest.done) this.#known.delete(oldest.value)
    }
    this.#known.set(`${tenantId}/${name}`, known)
  }

  forget(tenantId: string, name: string): void {
    this.#known.delete(`${tenantId}/${name}`)
  }
}
