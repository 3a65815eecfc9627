import { describe, expect, it, vi } from 'vitest'
import { FINALIZER } from '#api/v1alpha1/names'
import type { Deps } from '../ports.ts'
import { release } from './release.ts'
import type { StateRecord } from './state.ts'
import { NOON, observed } from './testkit/observed.ts'

const { signal } = new AbortController()
const seen = observed()
const rotation = {
  ...seen.rotation,
  metadata: { ...seen.rotation.metadata, finalizers: [FINALIZER], deletionTimestamp: 'now' },
}

/** A record in memory whose backend is gone, and an intake. */
function world(deliver: () => Promise<void>) {
  let stored: { value: StateRecord; cas: number } = seen.state
  const letGo = vi.fn(() => Promise.resolve())
  const audit = { deliver: vi.fn(deliver) }
  const deps = {
    cluster: 'c',
    audit,
    rotations: { letGo },
    backends: { find: () => Promise.resolve(undefined) },
    values: { read: () => Promise.resolve(undefined) },
    states: {
      read: () => Promise.resolve(stored),
      write: (_key: unknown, value: StateRecord, cas: number) => {
        stored = { value, cas: cas + 1 }
        return Promise.resolve({ kind: 'written', cas: cas + 1 })
      },
    },
    metrics: { forget: () => undefined },
    clock: { now: () => NOON },
    failpoint: () => undefined,
    log: { warn: () => undefined },
  } as unknown as Deps
  return { deps, audit, letGo, record: () => stored.value }
}

describe('release', () => {
  it('delivers the record of the release before it lets the resource go', async () => {
    const { deps, audit, letGo, record } = world(() => Promise.resolve())
    await release(rotation, deps, signal)
    const entries = [expect.objectContaining({ action: 'rotation.release' })]
    expect(audit.deliver).toHaveBeenCalledWith(record().owner, entries, signal)
    expect(record()).toMatchObject({ outbox: [], released: { policy: 'Retain' } })
    expect(letGo).toHaveBeenCalledOnce()
  })

  it('lets go all the same when the intake takes nothing, and keeps the entry', async () => {
    const { deps, letGo, record } = world(() => Promise.reject(new Error('the intake is away')))
    await release(rotation, deps, signal)
    expect(record().outbox).toMatchObject([{ action: 'rotation.release' }])
    expect(letGo).toHaveBeenCalledOnce()
  })
})
