import { afterEach, describe, expect, it } from 'vitest'
import type { Delivery } from '../ports.ts'
import { silentLogger } from '../runtime/types.ts'
import { OutboxDeliveries } from './audit-deliveries.ts'
import { entryKey, type AuditEntry } from './audit-outbox.ts'

const owner = (name: string) => ({ cluster: 'main', namespace: 'shop', name, uid: 'uid-1' })
const entry = (seq: number): AuditEntry => ({
  action: 'rotation.begin',
  rotationId: 'r-1',
  seq,
  at: '2026-11-21T12:00:00.000Z',
  details: {},
})

const started: OutboxDeliveries[] = []
afterEach(() => started.splice(0).forEach((one) => one.stop()))

type Answer = (entries: readonly AuditEntry[], call: number) => Delivery | Promise<Delivery>

function world(answer: Answer) {
  const told: { name: string; seqs: number[] }[] = []
  const woken: string[] = []
  let nowMs = 0
  let atOnce = 0
  let most = 0
  const deliveries = new OutboxDeliveries({
    sink: {
      deliver: () => Promise.reject(new Error('is for the end of a resource')),
      async tell({ name }, entries) {
        most = Math.max(most, ++atOnce)
        told.push({ name, seqs: entries.map(({ seq }) => seq) })
        try {
          return await answer(entries, told.length)
        } finally {
          atOnce--
        }
      },
    },
    log: silentLogger,
    now: () => nowMs,
    backoff: { baseMs: 2, capMs: 4 },
  })
  started.push(deliveries)
  deliveries.onTaken(({ name }) => woken.push(name))
  return { deliveries, told, woken, most: () => most, at: (ms: number) => (nowMs = ms) }
}
const takesAll: Answer = (taken) => ({ taken, refused: [] })

describe('OutboxDeliveries', () => {
  it('returns from an offer before anything is told', () => {
    const { deliveries, woken } = world(() => new Promise(() => undefined))
    deliveries.offer(owner('orders'), [entry(1)])
    expect(woken).toEqual([])
    expect(deliveries.taken(owner('orders')).size).toBe(0)
  })

  it('remembers what was taken until it is dropped, and wakes the resource', async () => {
    const { deliveries, woken } = world(takesAll)
    deliveries.offer(owner('orders'), [entry(1), entry(2)])
    await expect.poll(() => woken).toEqual(['orders'])
    expect([...deliveries.taken(owner('orders'))]).toEqual([entry(1), entry(2)].map(entryKey))
    deliveries.dropped(owner('orders'))
    expect(deliveries.taken(owner('orders')).size).toBe(0)
  })

  it('does not tell again what was taken and is not dropped yet', async () => {
    const { deliveries, told, woken } = world(takesAll)
    deliveries.offer(owner('orders'), [entry(1)])
    await expect.poll(() => woken).toHaveLength(1)
    deliveries.offer(owner('orders'), [entry(1), entry(2)])
    await expect.poll(() => woken).toHaveLength(2)
    expect(told.map(({ seqs }) => seqs)).toEqual([[1], [2]])
  })

  it('tells one outbox at a time, and of each only the newest picture', async () => {
    let go: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    const { deliveries, told, woken, most } = world(async (taken, call) => {
      if (call === 1) await gate
      return { taken, refused: [] }
    })
    deliveries.offer(owner('a'), [entry(1)])
    deliveries.offer(owner('b'), [entry(1)])
    deliveries.offer(owner('b'), [entry(1), entry(2)])
    go()
    await expect.poll(() => woken).toEqual(['a', 'b'])
    expect(told).toEqual([
      { name: 'a', seqs: [1] },
      { name: 'b', seqs: [1, 2] },
    ])
    expect(most()).toBe(1)
  })

  it('holds a hundred entries of a long outbox, and takes the next when those are dropped', async () => {
    const { deliveries, told, woken } = world(takesAll)
    const outbox = Array.from({ length: 150 }, (_, seq) => entry(seq))
    deliveries.offer(owner('orders'), outbox)
    await expect.poll(() => woken).toHaveLength(1)
    deliveries.dropped(owner('orders'))
    deliveries.offer(owner('orders'), outbox.slice(100))
    await expect.poll(() => woken).toHaveLength(2)
    expect(told.map(({ seqs }) => [seqs[0], seqs.length])).toEqual([
      [0, 100],
      [100, 50],
    ])
  })

  it('goes on trying without another offer while the gateway is away', async () => {
    const { deliveries, woken, told } = world((taken, call) =>
      call < 4
        ? { taken: [], refused: [], failure: new Error('ECONNREFUSED') }
        : { taken, refused: [] },
    )
    deliveries.offer(owner('orders'), [entry(1)])
    await expect.poll(() => woken).toEqual(['orders'])
    expect(told).toHaveLength(4)
  })

  it('keeps what was taken before a failure, and offers the rest alone', async () => {
    const { deliveries, told, woken } = world((entries, call) =>
      call === 1
        ? { taken: entries.slice(0, 1), refused: [], failure: new Error('503') }
        : { taken: entries, refused: [] },
    )
    deliveries.offer(owner('orders'), [entry(1), entry(2)])
    await expect.poll(() => woken).toHaveLength(2)
    expect(told.map(({ seqs }) => seqs)).toEqual([[1, 2], [2]])
  })

  it('lets a refused entry rest for ten minutes and holds up no other', async () => {
    const { deliveries, told, woken, at } = world((entries) => ({
      taken: entries.filter(({ seq }) => seq !== 1),
      refused: entries.filter(({ seq }) => seq === 1),
    }))
    const outbox = [entry(1), entry(2)]
    deliveries.offer(owner('orders'), outbox)
    await expect.poll(() => woken).toHaveLength(1)
    deliveries.dropped(owner('orders'))
    deliveries.offer(owner('orders'), [entry(1)])
    expect(told).toHaveLength(1)
    at(600_000)
    deliveries.offer(owner('orders'), [entry(1)])
    await expect.poll(() => told.map(({ seqs }) => seqs)).toEqual([[1, 2], [1]])
  })

  it('lets an entry rest that was refused earlier while another one is refused', async () => {
    const { deliveries, told, at } = world((refused) => ({ taken: [], refused }))
    deliveries.offer(owner('orders'), [entry(1)])
    await expect.poll(() => told).toHaveLength(1)
    at(1_000)
    deliveries.offer(owner('orders'), [entry(1), entry(2)])
    await expect.poll(() => told).toHaveLength(2)
    at(2_000)
    deliveries.offer(owner('orders'), [entry(1), entry(2), entry(3)])
    await expect.poll(() => told.map(({ seqs }) => seqs)).toEqual([[1], [2], [3]])
    at(600_000)
    deliveries.offer(owner('orders'), [entry(1), entry(2), entry(3)])
    await expect.poll(() => told.at(-1)?.seqs).toEqual([1])
  })
})
