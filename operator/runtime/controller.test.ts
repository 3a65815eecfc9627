import { describe, expect, it } from 'vitest'
import { AGAIN, Controller, REST, type Next } from './controller.ts'
import { silentLogger } from './types.ts'

async function runUntil(
  reconcile: (key: string, signal: AbortSignal) => Promise<Next>,
  enough: () => boolean,
  options: { concurrency?: number; deadlineMs?: number } = {},
): Promise<Controller> {
  const stop = new AbortController()
  const controller = new Controller({
    name: 'test',
    reconcile,
    concurrency: options.concurrency ?? 1,
    deadlineMs: options.deadlineMs ?? 1_000,
    log: silentLogger,
    queue: { baseMs: 5, capMs: 20 },
  })
  const running = controller.run(stop.signal)
  controller.queue.add('a')
  controller.queue.add('b')
  await expect.poll(enough).toBe(true)
  stop.abort()
  await running
  return controller
}

describe('Controller', () => {
  it('passes again at once as often as a pass asks for it', async () => {
    let passes = 0
    await runUntil(
      (key) => Promise.resolve(key === 'a' && (passes += 1) < 3 ? AGAIN : REST),
      () => passes === 3,
    )
  })

  it('tries a key again that threw, and the others go on', async () => {
    const seen: string[] = []
    await runUntil(
      (key) => {
        seen.push(key)
        if (key === 'a' && seen.filter((each) => each === 'a').length < 3) {
          return Promise.reject(new Error('the backend is away'))
        }
        return Promise.resolve(REST)
      },
      () => seen.filter((each) => each === 'a').length === 3 && seen.includes('b'),
    )
  })

  it('aborts a pass at its deadline and frees the worker', async () => {
    const aborted: string[] = []
    await runUntil(
      (key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(key)
            reject(new Error('aborted'))
          })
        }),
      () => aborted.includes('a') && aborted.includes('b'),
      { deadlineMs: 20 },
    )
  })

  it('works on as many keys side by side as it may, and never twice on one', async () => {
    let busy = 0
    let most = 0
    let passes = 0
    await runUntil(
      async () => {
        most = Math.max(most, (busy += 1))
        await new Promise((resolve) => setTimeout(resolve, 10))
        busy -= 1
        passes += 1
        return REST
      },
      () => passes === 2,
      { concurrency: 4 },
    )
    expect(most).toBe(2)
  })
})
