import { describe, expect, it } from 'vitest'
import { Rest } from './rest.ts'

const HOUR = 3_600_000
const never = new AbortController().signal

describe('Rest', () => {
  it('is over after its time', async () => {
    await new Rest().last(1, never)
  })

  it('is over at once when it is cut short, and the next one is a whole one again', async () => {
    const rest = new Rest()
    const first = rest.last(HOUR, never)
    rest.cutShort()
    await first
    const stop = new AbortController()
    const second = rest.last(HOUR, stop.signal).then(() => 'over')
    expect(await Promise.race([second, Promise.resolve().then(() => 'rests')])).toBe('rests')
    stop.abort()
    await second
  })

  it('does not begin when it was cut short during the round before it', async () => {
    const rest = new Rest()
    rest.cutShort()
    await rest.last(HOUR, never)
  })

  it('is over when all of it ends', async () => {
    const stop = new AbortController()
    const resting = new Rest().last(HOUR, stop.signal)
    stop.abort()
    await resting
  })
})
