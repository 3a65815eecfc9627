import { randomUUID } from 'node:crypto'
import type { StoreSecret, StoredSecret } from '#api/rest/secrets'
import { PalisadeError } from '#core/problem'
import type { AuditRow } from '../ports/audit-records.ts'
import type { Caller } from '../ports/callers.ts'
import type { SecretHead } from '../ports/secrets.ts'
import type { Store } from '../ports/store.ts'
import type { AuditWriter, Origin } from './audit.ts'
import type { CurrentVersions } from './current-versions.ts'
import type { DataKeys } from './data-keys.ts'
import { sealValue } from './envelope.ts'
import type { SecretHeads } from './secret-heads.ts'

interface Write {
  readonly caller: Caller
  readonly origin: Origin
  readonly name: string
  readonly wish: StoreSecret
  readonly idempotencyKey: string | undefined
}

export interface StoreVersionDeps {
  readonly store: Store
  readonly audit: AuditWriter
  readonly keys: DataKeys
  readonly heads: SecretHeads
  /** Called after the commit of each record. */
  readonly committed: (row: AuditRow) => void
  readonly versions: CurrentVersions
}

/** One attempt; undefined when somebody else wrote meanwhile and the caller did not ask for a certain version. */
export async function storeVersion(
  deps: StoreVersionDeps,
  write: Write,
): Promise<StoredSecret | undefined> {
  const { caller, origin, name, wish } = write
  const { tenantId } = caller
  // UTF-8 has no place for half a pair: it would be stored as another value than the one that was sent.
  if (!wish.value.isWellFormed()) {
    throw new PalisadeError('ERR_VALIDATION', 'body.value holds half of a surrogate pair')
  }
  const head = await deps.store.findHead(caller, name)
  if (head) deps.heads.check(tenantId, head)
  const expected = wish.cas ?? head?.currentVersion ?? 0
  // With cas the store is asked even when the head does not fit: a repeated request must find its first answer.
  const secretId = expected === 0 || !head ? randomUUID() : head.secretId
  const version = expected + 1
  const context = { tenantId, secretId, version, purpose: 'secret-value' } as const
  const row = await deps.audit.ofCaller(caller, origin, {
    eventType: 'secret.write',
    outcome: 'success',
    subject: { kind: 'secret', id: secretId, version },
    details: { name },
  })
  const outcome = await deps.store.writeSecret(caller, {
    name,
    secretId,
    expected,
    sealed: await sealValue(Buffer.from(wish.value), context, deps.keys),
    head: deps.heads.sign(tenantId, { secretId, name, currentVersion: version, deleted: false }),
    audit: row,
    idempotency: claimOf(deps, write),
  })
  switch (outcome.kind) {
    case 'written':
      deps.committed(row)
      deps.versions.learn(tenantId, name, { secretId, version })
      return answer(secretId, name, version, outcome.createdAt)
    case 'repeated':
      return answer(outcome.secretId, name, outcome.version, outcome.createdAt)
    case 'keyReused':
      throw new PalisadeError('ERR_IDEMPOTENCY_MISMATCH', 'the key belongs to another request')
    case 'moved':
      if (wish.cas === undefined) return undefined
      throw conflict(name, wish.cas, outcome.head)
  }
}

const claimOf = (deps: StoreVersionDeps, { name, wish, idempotencyKey }: Write) =>
  idempotencyKey === undefined
    ? null
    : {
        key: idempotencyKey,
        requestDigest: deps.heads.digestRequest({ route: 'PUT /api/secrets/:name', name, ...wish }),
      }

const answer = (id: string, name: string, version: number, createdAt: Date): StoredSecret => ({
  id,
  name,
  version,
  createdAt: createdAt.toISOString(),
})

const conflict = (name: string, cas: number, head: SecretHead | null) =>
  new PalisadeError(
    'ERR_CONFLICT',
    `cas is ${cas}, the current version of "${name}" is ${head?.currentVersion ?? 0}`,
  )
