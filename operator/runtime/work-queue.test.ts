import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WorkQueue } from './work-queue.ts'

let now: number
let queue: WorkQueue
beforeEach(() => {
  now = 0
  queue = new WorkQueue({ now: () => now })
})
afterEach(() => queue.close())

describe('WorkQueue', () => {
  it('holds a key once however often it is added', async () => {
    for (let i = 0; i < 5; i += 1) queue.add('a')
    expect(queue.depth).toBe(1)
    expect(await queue.take()).toBe('a')
    queue.done('a')
    expect(queue.depth).toBe(0)
  })

  it('keeps a key from a second worker until the first is done, and brings it round again', async () => {
    queue.add('a')
    await queue.take()
    queue.add('a')
    expect(queue.depth).toBe(0)
    queue.done('a')
    expect(await queue.take()).toBe('a')
  })

  it('takes an urgent key before ordinary ones and those before routine', async () => {
    queue.add('routine', 'routine')
    queue.add('normal')
    queue.add('urgent', 'urgent')
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual([
      'urgent',
      'normal',
      'routine',
    ])
  })

  it('lets a routine key that waited 15 s overtake an urgent one that has just come', async () => {
    queue.add('old', 'routine')
    now = 15_000
    queue.add('new', 'urgent')
    expect(await queue.take()).toBe('old')
  })

  it('raises a waiting key to the higher of two priorities', async () => {
    queue.add('a', 'routine')
    queue.add('b')
    queue.add('a', 'urgent')
    expect(await queue.take()).toBe('a')
  })

  it('doubles the wait of a failing key from 1 s to 7 min and leaves the others alone', () => {
    const waits = Array.from({ length: 11 }, () => queue.addWithBackoff('a'))
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000])
    expect(waits.at(-1)).toBe(420_000)
    expect(queue.addWithBackoff('b')).toBe(1_000)
  })

  it('starts the waits anew after a success', () => {
    queue.addWithBackoff('a')
    queue.forget('a')
    expect(queue.addWithBackoff('a')).toBe(1_000)
  })

  it('releases delayed keys in the order in which they are due, earliest wish first', async () => {
    const real = new WorkQueue()
    real.addAfter('late', 60)
    real.addAfter('soon', 20)
    real.addAfter('late', 5_000)
    expect([await real.take(), await real.take()]).toEqual(['soon', 'late'])
    real.close()
  })

  it('forgets a delay once the key was added at once', async () => {
    const real = new WorkQueue()
    real.addAfter('a', 30)
    real.add('a')
    expect(await real.take()).toBe('a')
    real.done('a')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(real.depth).toBe(0)
    real.close()
  })

  it('answers undefined to every waiting worker when it is closed', async () => {
    const waiting = [queue.take(), queue.take()]
    queue.close()
    expect(await Promise.all(waiting)).toEqual([undefined, undefined])
  })
})
