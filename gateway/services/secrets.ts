import type { GatewayEventType } from '#api/audit-event'
import type { SecretList, SecretVersion, StoreSecret, StoredSecret } from '#api/rest/secrets'
import { PalisadeError } from '#core/problem'
import type { Caller } from '../ports/callers.ts'
import type { ReadOutcome, SecretHead } from '../ports/secrets.ts'
import type { Origin } from './audit.ts'
import { CurrentVersions } from './current-versions.ts'
import { openValue } from './envelope.ts'
import { storeVersion, type StoreVersionDeps } from './store-version.ts'

export interface SecretsDeps extends Omit<StoreVersionDeps, 'versions'> {
  readonly versions?: CurrentVersions
}

/** How often a call begins anew when somebody else was faster. */
const ATTEMPTS = 4

/** Versioned secrets of a tenant. Effect and record commit together; a value is decrypted after that, never before. */
export class Secrets {
  readonly #deps: StoreVersionDeps

  constructor(deps: SecretsDeps) {
    this.#deps = { ...deps, versions: deps.versions ?? new CurrentVersions() }
  }

  async read(
    caller: Caller,
    origin: Origin,
    name: string,
    version?: number,
  ): Promise<SecretVersion> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcome = await this.#tryRead(caller, origin, name, version)
      if (outcome.kind === 'absent') throw notFound(name)
      const { head } = outcome
      if (outcome.kind === 'read') return this.#open(caller, outcome, version)
      this.#learn(caller, head)
    }
    throw new PalisadeError('ERR_CONFLICT', `secret "${name}" changes faster than it can be read`)
  }

  async put(
    caller: Caller,
    origin: Origin,
    name: string,
    wish: StoreSecret,
    idempotencyKey?: string,
  ): Promise<StoredSecret> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = await storeVersion(this.#deps, { caller, origin, name, wish, idempotencyKey })
      if (stored) return stored
    }
    throw new PalisadeError(
      'ERR_CONFLICT',
      `secret "${name}" changes faster than it can be written`,
    )
  }

  remove(caller: Caller, origin: Origin, name: string): Promise<void> {
    return this.#setDeleted(caller, origin, name, true)
  }

  restore(caller: Caller, origin: Origin, name: string): Promise<void> {
    return this.#setDeleted(caller, origin, name, false)
  }

  async list(
    caller: Caller,
    origin: Origin,
    after: string | null,
    limit: number,
  ): Promise<SecretList> {
    const row = await this.#deps.audit.ofCaller(caller, origin, {
      eventType: 'secret.list',
      outcome: 'success',
      subject: { kind: 'tenant', id: caller.tenantId },
      details: { limit },
    })
    const found = await this.#deps.store.listSecrets(caller, { after, limit }, row)
    this.#deps.committed(row)
    const last = found.length === limit ? found.at(-1)?.name : undefined
    const items = found.map(({ createdAt, updatedAt, ...entry }) => ({
      ...entry,
      createdAt: createdAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
    }))
    return last === undefined ? { items } : { items, next: last }
  }

  async #tryRead(caller: Caller, origin: Origin, name: string, version?: number) {
    const { audit, store, versions, committed } = this.#deps
    const known = versions.find(caller.tenantId, name)
    const absent = await audit.ofCaller(caller, origin, {
      eventType: 'secret.read',
      outcome: 'refused',
      code: 'ERR_NOT_FOUND',
      subject: subjectOf(known?.secretId ?? `name:${name}`, version),
      details: { name },
    })
    // Without a known version nothing can be read in this trip, so the row is never written.
    const read = known
      ? await audit.ofCaller(caller, origin, {
          eventType: 'secret.read',
          outcome: 'success',
          subject: subjectOf(known.secretId, version ?? known.version),
          details: { name },
        })
      : absent
    const outcome = await store.readSecret(caller, {
      name,
      version: version ?? null,
      expected: known?.version ?? null,
      audit: { read, absent },
    })
    if (outcome.kind !== 'moved') committed(outcome.kind === 'read' ? read : absent)
    if (outcome.kind === 'absent') versions.forget(caller.tenantId, name)
    return outcome
  }

  async #open(
    caller: Caller,
    { head, version }: Extract<ReadOutcome, { kind: 'read' }>,
    wanted: number | undefined,
  ): Promise<SecretVersion> {
    const { tenantId } = caller
    this.#deps.heads.check(tenantId, head)
    if (version.version !== (wanted ?? head.currentVersion)) throw rolledBack(head)
    const { secretId } = head
    const context = {
      tenantId,
      secretId,
      version: version.version,
      purpose: 'secret-value',
    } as const
    const value = await openValue(version, context, this.#deps.keys)
    return {
      id: secretId,
      name: head.name,
      version: version.version,
      value: value.toString('utf8'),
      createdAt: version.createdAt.toISOString(),
    }
  }

  async #setDeleted(caller: Caller, origin: Origin, name: string, deleted: boolean): Promise<void> {
    const { store, heads, audit, committed, versions } = this.#deps
    const eventType: GatewayEventType = deleted ? 'secret.delete' : 'secret.restore'
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const head = await store.findHead(caller, name)
      if (!head || (deleted && head.deleted)) throw notFound(name)
      heads.check(caller.tenantId, head)
      if (head.deleted === deleted) return
      const { secretId, currentVersion } = head
      const row = await audit.ofCaller(caller, origin, {
        eventType,
        outcome: 'success',
        subject: subjectOf(secretId, currentVersion),
        details: { name },
      })
      const outcome = await store.changeHead(caller, {
        name,
        expected: { version: currentVersion, deleted: head.deleted },
        head: heads.sign(caller.tenantId, { secretId, name, currentVersion, deleted }),
        audit: row,
      })
      versions.forget(caller.tenantId, name)
      if (outcome.kind === 'written') return committed(row)
    }
    throw new PalisadeError(
      'ERR_CONFLICT',
      `secret "${name}" changes faster than it can be changed`,
    )
  }

  #learn(caller: Caller, head: SecretHead): void {
    const { secretId, currentVersion } = head
    this.#deps.versions.learn(caller.tenantId, head.name, { secretId, version: currentVersion })
  }
}

const subjectOf = (id: string, version?: number) =>
  version === undefined
    ? ({ kind: 'secret', id } as const)
    : ({ kind: 'secret', id, version } as const)

const notFound = (name: string) =>
  new PalisadeError('ERR_NOT_FOUND', `there is no secret "${name}" that you may see`)

const rolledBack = (head: SecretHead) =>
  new PalisadeError(
    'ERR_SECRET_ROLLED_BACK',
    `secret ${head.secretId} holds another version than its head names`,
  )
