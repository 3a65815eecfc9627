import { describe, expect, it } from 'vitest'
import type { Deps, Versioned, WriteOutcome } from '../ports.ts'
import { after, REST } from '../runtime/controller.ts'
import { entryKey, type AuditEntry } from './audit-outbox.ts'
import { offerAudit, offerLeftOver } from './deliver-audit.ts'
import type { StateRecord } from './state.ts'
import { observed } from './testkit/observed.ts'

const { signal } = new AbortController()
const entry = (seq: number): AuditEntry => ({
  action: 'rotation.begin',
  rotationId: 'r-1',
  seq,
  at: `2026-11-21T12:0${seq}:00.000Z`,
  details: {},
})

interface Wish {
  readonly outbox: readonly AuditEntry[]
  readonly taken?: readonly AuditEntry[]
  readonly write?: () => Promise<WriteOutcome>
  readonly read?: () => Promise<Versioned<StateRecord> | undefined>
}

function world({ outbox, taken = [], write, read }: Wish) {
  const { state } = observed({ state: { outbox } })
  const seen = {
    offered: [] as number[][],
    written: [] as { outbox: number[]; seq: number; cas: number }[],
    dropped: 0,
    since: 'never told' as Date | undefined | 'never told',
  }
  const seqs = (entries: readonly AuditEntry[]) => entries.map(({ seq }) => seq)
  const deps = {
    deliveries: {
      offer: (_: unknown, entries: readonly AuditEntry[]) => void seen.offered.push(seqs(entries)),
      taken: () => new Set(taken.map(entryKey)),
      dropped: () => void seen.dropped++,
    },
    states: {
      read: read ?? (() => Promise.resolve(state)),
      write: (_key: unknown, record: StateRecord, cas: number) => {
        seen.written.push({ outbox: seqs(record.outbox), seq: record.seq, cas })
        return write ? write() : Promise.resolve({ kind: 'written', cas: cas + 1 })
      },
    },
    metrics: { undelivered: (_: unknown, since: Date | undefined) => void (seen.since = since) },
    timing: { pollMs: 5_000, resyncMs: 600_000 },
    failpoint: () => undefined,
    log: { warn: () => undefined },
  } as unknown as Deps
  return { deps, state, seen }
}

describe('offerAudit', () => {
  it('offers what nobody has taken and writes nothing', async () => {
    const { deps, state, seen } = world({ outbox: [entry(1), entry(2)] })
    await offerAudit(state, deps, signal)
    expect(seen).toEqual({
      offered: [[1, 2]],
      written: [],
      dropped: 0,
      since: new Date(entry(1).at),
    })
  })

  it('drops what was taken, by the number it read and without moving its own', async () => {
    const { deps, state, seen } = world({ outbox: [entry(1), entry(2)], taken: [entry(1)] })
    await offerAudit(state, deps, signal)
    expect(seen.written).toEqual([{ outbox: [2], seq: state.value.seq, cas: state.cas }])
    expect([seen.offered, seen.dropped, seen.since]).toEqual([[[2]], 1, new Date(entry(2).at)])
  })

  it.each([
    ['another replica wrote meanwhile', () => Promise.resolve({ kind: 'stale' } as const)],
    ['the store is away', () => Promise.reject(new Error('away'))],
  ])('remembers what was taken when %s, and does not fail', async (_, write) => {
    const { deps, state, seen } = world({ outbox: [entry(1)], taken: [entry(1)], write })
    await offerAudit(state, deps, signal)
    expect([seen.dropped, seen.since]).toEqual([0, undefined])
  })
})

describe('offerLeftOver', () => {
  const key = { namespace: 'shop', name: 'orders' }

  it('looks again while the record of a resource that is gone holds something', async () => {
    const { deps, seen } = world({ outbox: [entry(1)] })
    expect(await offerLeftOver(key, deps, signal)).toEqual(after(600_000))
    expect(seen.offered).toEqual([[1]])
  })

  it.each([
    ['there is no record', () => Promise.resolve(undefined)],
    ['its outbox is empty', () => Promise.resolve(observed().state)],
  ])('rests when %s', async (_, read) => {
    const { deps } = world({ outbox: [], read })
    expect(await offerLeftOver(key, deps, signal)).toEqual(REST)
  })

  it('looks again later when the record cannot be read', async () => {
    const { deps } = world({ outbox: [], read: () => Promise.reject(new Error('away')) })
    expect(await offerLeftOver(key, deps, signal)).toEqual(after(600_000))
  })
})
