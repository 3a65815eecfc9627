import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { clock, openLoop } from './arrivals.ts'

describe('openLoop', () => {
  it('sends each request once, in turn, and none before it is due', async () => {
    const asked: number[] = []
    const { sent, taken, answered } = await openLoop(async (index) => asked.push(index), 500, 0.2)
    expect(asked).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(0)
    expect([...taken].every((time, i) => time >= (sent[i] ?? NaN))).toBe(true)
    expect([...answered].every((time, i) => time >= (taken[i] ?? NaN))).toBe(true)
  })

  it('counts the wait of every request that came due while one was in the way', async () => {
    const busyMs = 80
    const { taken } = await openLoop(
      async (index) => {
        for (const end = clock() + (index === 10 ? busyMs : 0); clock() < end;);
      },
      500,
      0.2,
    )
    // They are due 2 ms after one another: the one behind it waits longest, and 35 of them 10 ms or more.
    expect(taken[11]).toBeGreaterThanOrEqual(busyMs - 2)
    expect(taken.slice(11).filter((wait) => wait >= 10).length).toBeGreaterThanOrEqual(34)
  })

  it('waits for no answer before it sends the next', async () => {
    let [open, most] = [0, 0]
    const { answered } = await openLoop(
      async () => {
        most = Math.max(most, (open += 1))
        await pause(50)
        open -= 1
      },
      500,
      0.1,
    )
    expect(most).toBeGreaterThan(15)
    expect(Math.min(...answered)).toBeGreaterThan(45)
  })

  it('fails with a call that failed', async () => {
    const call = async (index: number) => {
      if (index === 3) throw new Error('no answer')
    }
    await expect(openLoop(call, 500, 0.1)).rejects.toThrow('no answer')
  })
})
