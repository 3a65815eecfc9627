import { describe, expect, it, vi } from 'vitest'
import { ANNOTATION_ABANDON, FINALIZER } from '#api/v1alpha1/names'
import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import { PalisadeError } from '#core/problem'
import type { Deps } from '../ports.ts'
import { AGAIN, REST } from '../runtime/controller.ts'
import { release } from './release.ts'
import type { StateRecord } from './state.ts'
import { ago, NOON, observed } from './testkit/observed.ts'

const { signal } = new AbortController()

interface Wish {
  readonly policy?: 'Retain' | 'Revoke'
  readonly annotations?: Readonly<Record<string, string>>
  readonly state?: Partial<StateRecord>
  /** `fenced`: another replica has moved the fence on. */
  readonly backend?: 'answers' | 'away' | 'deleted' | 'fenced'
  readonly store?: 'answers' | 'away'
  readonly terminatingSince?: string
  readonly deliver?: () => Promise<void>
  /** Another replica writes the record between our reading and our writing. */
  readonly overtaken?: boolean
  /** The same before the backend has answered. */
  readonly overtakenEarly?: boolean
  readonly leads?: boolean
  readonly deletedAt?: string
}

const OWNER = 'c/shop/orders/uid-1'

const away = (code: 'ERR_BACKEND_UNREACHABLE' | 'ERR_STORE_UNREACHABLE') => () =>
  Promise.reject(new PalisadeError(code, 'no answer'))

/** A record in memory and a resource that is going. */
function world(wish: Wish = {}) {
  const seen = observed({ state: wish.state ?? { rolesReleased: true } })
  let stored: { value: StateRecord; cas: number } = seen.state
  let status: SecretRotationStatus | undefined
  const rotation: SecretRotation = {
    ...seen.rotation,
    metadata: {
      ...seen.rotation.metadata,
      finalizers: [FINALIZER],
      deletionTimestamp: wish.deletedAt ?? ago('2m'),
      annotations: wish.annotations ?? {},
    },
    spec: { ...seen.rotation.spec, deletionPolicy: wish.policy ?? 'Retain' },
    status: { rotationId: 'rotation-1' },
  }
  const letGo = vi.fn(() => Promise.resolve())
  const events = { record: vi.fn() }
  const audit = { deliver: vi.fn(wish.deliver ?? (() => Promise.resolve())) }
  const overtake = () => {
    if (wish.overtakenEarly) stored = { ...stored, cas: stored.cas + 1 }
  }
  const unreachable = () => {
    overtake()
    return away('ERR_BACKEND_UNREACHABLE')()
  }
  const fenced = () => {
    overtake()
    return Promise.resolve({ kind: 'stale', standsAt: 12 })
  }
  const deps = {
    cluster: 'c',
    audit,
    events,
    rotations: {
      letGo,
      writeStatus: (_: unknown, next: SecretRotationStatus) => {
        status = next
        return Promise.resolve()
      },
    },
    backends: {
      find: () => Promise.resolve(wish.backend === 'deleted' ? undefined : {}),
      namespaceLabels: () =>
        Promise.resolve({
          labels: {},
          ...(wish.terminatingSince ? { terminatingSince: wish.terminatingSince } : {}),
        }),
    },
    databaseOf: () => {
      if (wish.backend === 'away')
        return { standing: unreachable, destroyVerifier: unreachable, terminate: unreachable }
      if (wish.backend === 'fenced')
        return {
          destroyVerifier: fenced,
          standing: () => Promise.resolve({ owner: OWNER }),
          release: fenced,
        }
      return { standing: () => Promise.resolve(undefined) }
    },
    values: { read: () => Promise.resolve(undefined) },
    states: {
      read: () =>
        wish.store === 'away' ? away('ERR_STORE_UNREACHABLE')() : Promise.resolve(stored),
      write: (_key: unknown, value: StateRecord, cas: number) => {
        if (wish.overtaken) return Promise.resolve({ kind: 'stale' })
        stored = { value, cas: cas + 1 }
        return Promise.resolve({ kind: 'written', cas: cas + 1 })
      },
    },
    metrics: { forget: () => undefined, stalled: () => undefined },
    timing: { pollMs: 5_000, resyncMs: 600_000 },
    clock: { now: () => NOON },
    failpoint: () => undefined,
    isLeader: () => wish.leads ?? true,
    log: { warn: () => undefined },
  } as unknown as Deps
  return {
    pass: () => release(rotation, deps, signal),
    audit,
    letGo,
    events,
    record: () => stored.value,
    message: () => status?.conditions?.[0]?.message ?? '',
  }
}

describe('release', () => {
  it('delivers the record of the release before it lets the resource go', async () => {
    const { pass, audit, letGo, record } = world()
    await pass()
    const entries = [expect.objectContaining({ action: 'rotation.release' })]
    expect(audit.deliver).toHaveBeenCalledWith(record().owner, entries, signal)
    expect(record()).toMatchObject({ outbox: [], released: { policy: 'Retain' } })
    expect(letGo).toHaveBeenCalledOnce()
  })

  it('lets go all the same when the intake takes nothing, and keeps the entry', async () => {
    const deliver = () => Promise.reject(new Error('the intake is away'))
    const { pass, letGo, record } = world({ deliver })
    await pass()
    expect(record().outbox).toMatchObject([{ action: 'rotation.release' }])
    expect(letGo).toHaveBeenCalledOnce()
  })

  it('looks again when another replica wrote the record in between', async () => {
    const { pass, letGo } = world({ overtaken: true })
    expect(await pass()).toEqual(AGAIN)
    expect(letGo).not.toHaveBeenCalled()
  })
})

describe('release with Retain', () => {
  it('writes the tombstone and tells of the orphan when the backend does not answer', async () => {
    const { pass, letGo, events, audit, record } = world({ backend: 'away', state: {} })
    expect(await pass()).toEqual(REST)
    expect(record()).toMatchObject({ released: { policy: 'Retain' }, rotation: null })
    const details = expect.objectContaining({ cause: 'ERR_BACKEND_UNREACHABLE' })
    const entries = [expect.objectContaining({ action: 'rotation.orphan', details })]
    expect(audit.deliver).toHaveBeenCalledWith(record().owner, entries, signal)
    const told = expect.objectContaining({ type: 'Warning', reason: 'Orphaned' })
    expect(events.record).toHaveBeenCalledWith(expect.anything(), told)
    expect(letGo).toHaveBeenCalledOnce()
  })

  it('tells of the orphan by an event alone when the store does not answer either', async () => {
    const { pass, letGo, events } = world({ backend: 'away', store: 'away' })
    expect(await pass()).toEqual(REST)
    expect(events.record).toHaveBeenCalledOnce()
    expect(letGo).toHaveBeenCalledOnce()
  })
})

describe('release while the backend refuses or does not answer, with Retain', () => {
  it.each(['away', 'fenced'] as const)(
    'waits for a backend that is %s until a minute after the deletion, and says so',
    async (backend) => {
      const young = world({ backend, state: {}, deletedAt: ago('59s') })
      expect(await young.pass()).toEqual({ kind: 'after', ms: 5_000 })
      expect(young.message()).toContain('lets go of it all the same')
      expect(young.letGo).not.toHaveBeenCalled()
      expect(young.events.record).not.toHaveBeenCalled()
      expect(young.record().released).toBeUndefined()
      const old = world({ backend, state: {}, deletedAt: ago('60s') })
      expect(await old.pass()).toEqual(REST)
      expect(old.letGo).toHaveBeenCalledOnce()
    },
  )

  it.each(['away', 'fenced'] as const)(
    'looks again when the record moved on meanwhile, with a backend that is %s',
    async (backend) => {
      const { pass, letGo, events, record } = world({ backend, state: {}, overtakenEarly: true })
      expect(await pass()).toEqual(AGAIN)
      expect(record().released).toBeUndefined()
      expect(events.record).not.toHaveBeenCalled()
      expect(letGo).not.toHaveBeenCalled()
    },
  )

  it.each(['Retain', 'Revoke'] as const)(
    'leaves it to the leader when the fence refuses a replica that leads no more (%s)',
    async (policy) => {
      const { pass, letGo, events, record, message } = world({
        policy,
        backend: 'fenced',
        state: {},
        leads: false,
      })
      await expect(pass()).rejects.toMatchObject({ code: 'ERR_STALE_FENCE' })
      expect(record().released).toBeUndefined()
      expect(message()).toBe('')
      expect(events.record).not.toHaveBeenCalled()
      expect(letGo).not.toHaveBeenCalled()
    },
  )

  it('does not wait for what no time mends', async () => {
    const { pass, letGo } = world({ backend: 'deleted', state: {}, deletedAt: ago('1s') })
    expect(await pass()).toEqual(REST)
    expect(letGo).toHaveBeenCalledOnce()
  })
})

describe('release with Revoke', () => {
  const dead = { policy: 'Revoke', backend: 'away', state: {} } as const

  it('keeps the resource, looks again within 30 seconds and says how to give it up', async () => {
    const { pass, letGo, message } = world(dead)
    expect(await pass()).toEqual({ kind: 'after', ms: 30_000 })
    expect(message()).toContain('ERR_BACKEND_UNREACHABLE')
    expect(message()).toMatch(
      /kubectl -n shop annotate --overwrite srot orders palisade\.dev\/abandon=rotation-1$/,
    )
    expect(letGo).not.toHaveBeenCalled()
  })

  it('keeps the resource while the store is away and the backend is not', async () => {
    const { pass, letGo, message } = world({ policy: 'Revoke', store: 'away' })
    await pass()
    expect(message()).toContain('palisade.dev/abandon=rotation-1')
    expect(letGo).not.toHaveBeenCalled()
  })

  it.each(['answers', 'away'] as const)(
    'gives the rotation up that the annotation names, with a store that %s',
    async (store) => {
      const annotations = { [ANNOTATION_ABANDON]: 'rotation-1' }
      const { pass, letGo, record } = world({ ...dead, store, annotations })
      expect(await pass()).toEqual(REST)
      expect(letGo).toHaveBeenCalledOnce()
      if (store === 'answers') {
        expect(record().released?.policy).toBe('Abandoned')
        expect(record().outbox.map(({ action }) => action)).toEqual([])
      }
    },
  )

  it('does not give up for an annotation that names another rotation', async () => {
    const { pass, letGo } = world({ ...dead, annotations: { [ANNOTATION_ABANDON]: 'rotation-0' } })
    await pass()
    expect(letGo).not.toHaveBeenCalled()
  })

  it('lets go of what was to be revoked when the backend is deleted, as an orphan', async () => {
    const { pass, letGo, events, record } = world({ ...dead, backend: 'deleted' })
    expect(await pass()).toEqual(REST)
    expect(record().released?.policy).toBe('Revoke')
    expect(events.record).toHaveBeenCalledOnce()
    expect(letGo).toHaveBeenCalledOnce()
  })

  it.each([
    ['keeps', '9m', 0],
    ['lets go of', '11m', 1],
  ])('%s the resource when its namespace has been terminating for %s', async (_, since, times) => {
    const { pass, letGo } = world({ ...dead, terminatingSince: ago(since) })
    await pass()
    expect(letGo).toHaveBeenCalledTimes(times)
  })
})
