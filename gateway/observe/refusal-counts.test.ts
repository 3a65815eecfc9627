import { describe, expect, it } from 'vitest'
import { RefusalCounts } from './refusal-counts.ts'

const at = (text: string) => new Date(`2026-11-21T${text}Z`)
const refusal = (source: string) => ({ reason: 'ERR_TOKEN_INVALID', route: '/api/secrets', source })
const total = (counts: RefusalCounts, now: Date) =>
  counts.unflushed(now).reduce((sum, { count }) => sum + count, 0)

describe('RefusalCounts', () => {
  it('offers the whole total of a minute again and again until it is flushed, and then what was added', () => {
    const counts = new RefusalCounts()
    const now = at('10:00:30')
    for (let i = 0; i < 3; i += 1) counts.add(refusal('192.0.2.1'), at(`10:00:0${i}`))
    const [first] = counts.unflushed(now)
    expect(first).toMatchObject({ count: 3, minute: at('10:00:00'), first: at('10:00:00') })
    expect(counts.unflushed(now)).toEqual([first])
    counts.flushed(counts.unflushed(now), now)
    expect(counts.unflushed(now)).toEqual([])
    counts.add(refusal('192.0.2.1'), at('10:00:40'))
    expect(counts.unflushed(now)).toMatchObject([{ count: 4, last: at('10:00:40') }])
  })

  it('keeps what was counted while a flush was under way', () => {
    const counts = new RefusalCounts()
    const now = at('10:00:30')
    counts.add(refusal('192.0.2.1'), now)
    const offered = counts.unflushed(now)
    counts.add(refusal('192.0.2.1'), now)
    counts.flushed(offered, now)
    expect(counts.unflushed(now)).toMatchObject([{ count: 2 }])
  })

  it('keeps 1,000 sources of a minute apart and counts the rest as other', () => {
    const counts = new RefusalCounts()
    const now = at('10:00:30')
    for (let i = 0; i < 5_000; i += 1) counts.add(refusal(`source-${i}`), now)
    const offered = counts.unflushed(now)
    expect(offered).toHaveLength(1_001)
    expect(offered.find(({ source }) => source === 'other')).toMatchObject({ count: 4_000 })
    expect(total(counts, now)).toBe(5_000)
  })

  it('begins anew with the next minute', () => {
    const counts = new RefusalCounts()
    for (let i = 0; i < 1_000; i += 1) counts.add(refusal(`source-${i}`), at('10:00:59'))
    counts.add(refusal('another'), at('10:01:00'))
    const offered = counts.unflushed(at('10:01:00'))
    expect(offered.filter(({ minute }) => minute.getTime() === at('10:01:00').getTime())).toEqual([
      expect.objectContaining({ source: 'another', count: 1 }),
    ])
  })

  it('holds at most 11 minutes of a database that is away, and loses no refusal by it', () => {
    const counts = new RefusalCounts()
    for (let minute = 0; minute < 60; minute += 1) {
      const now = at(`10:${String(minute).padStart(2, '0')}:00`)
      for (let i = 0; i < 1_200; i += 1) counts.add(refusal(`source-${i}`), now)
      counts.unflushed(now)
    }
    const now = at('10:59:30')
    expect(counts.unflushed(now).length).toBeLessThanOrEqual(11 * 1_001)
    expect(total(counts, now)).toBe(60 * 1_200)
  })

  it('does not reopen a minute when the clock is set back', () => {
    const counts = new RefusalCounts()
    counts.add(refusal('a'), at('10:05:00'))
    counts.add(refusal('a'), at('10:03:00'))
    expect(counts.unflushed(at('10:05:30'))).toMatchObject([
      { count: 2, minute: at('10:05:00'), first: at('10:03:00') },
    ])
  })
})
