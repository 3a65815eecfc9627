import { describe, expect, it } from 'vitest'
import { dueAt, opensAt, scheduleProblem, type Schedule } from './schedule.ts'

const schedule = (change: Partial<Schedule>): Schedule => ({
  timeZone: 'Europe/Vienna',
  jitter: '0s',
  ...change,
})
const due = (change: Partial<Schedule>, issued: string, seed = 'uid') =>
  dueAt(schedule(change), new Date(issued), seed)?.toISOString()
const opens = (change: Partial<Schedule>, at: string) =>
  opensAt(schedule(change), new Date(at))?.toISOString()

describe('dueAt', () => {
  it('is one period after the value was issued', () => {
    expect(due({ every: '24h' }, '2026-11-20T09:00:00Z')).toBe('2026-11-21T09:00:00.000Z')
  })

  it('follows the wall clock of its zone: 03:00 in Vienna is 02:00 UTC in winter and 01:00 in summer', () => {
    expect(due({ cron: '0 3 * * *' }, '2026-11-21T12:00:00Z')).toBe('2026-11-22T02:00:00.000Z')
    expect(due({ cron: '0 3 * * *' }, '2026-07-01T12:00:00Z')).toBe('2026-07-02T01:00:00.000Z')
  })

  it('comes once on the day on which 02:30 does not exist, and once where it comes twice', () => {
    const run = (from: string, days: number) => {
      const times: string[] = []
      let last = new Date(from)
      const end = last.getTime() + days * 86_400_000
      for (;;) {
        const next = dueAt(schedule({ cron: '30 2 * * *' }), last, 'uid')
        if (!next || next.getTime() > end) return times
        times.push(next.toISOString())
        last = next
      }
    }
    expect(run('2026-03-28T12:00:00Z', 2)).toHaveLength(2)
    expect(run('2026-10-24T12:00:00Z', 2)).toHaveLength(2)
  })

  it('adds at most the jitter, the same in every pass and another for another resource', () => {
    const one = due({ every: '24h', jitter: '10m' }, '2026-11-20T09:00:00Z', 'a')
    expect(due({ every: '24h', jitter: '10m' }, '2026-11-20T09:00:00Z', 'a')).toBe(one)
    expect(due({ every: '24h', jitter: '10m' }, '2026-11-20T09:00:00Z', 'b')).not.toBe(one)
    const late = Date.parse(one ?? '') - Date.parse('2026-11-21T09:00:00Z')
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThan(600_000)
  })

  it('moves a due time outside every window to the next opening', () => {
    const windows = [{ start: '0 3 * * 1', duration: '2h' }]
    expect(due({ every: '24h', windows }, '2026-11-20T09:00:00Z')).toBe('2026-11-23T02:00:00.000Z')
  })
})

describe('opensAt', () => {
  const windows = [{ start: '0 22 * * *', duration: '4h' }]

  it('answers the moment itself inside a window, across midnight too', () => {
    expect(opens({ windows }, '2026-11-21T23:30:00Z')).toBe('2026-11-21T23:30:00.000Z')
  })

  it('answers the next opening outside', () => {
    expect(opens({ windows }, '2026-11-21T12:00:00Z')).toBe('2026-11-21T21:00:00.000Z')
  })

  it('is open all the time without windows', () => {
    expect(opens({}, '2026-11-21T12:00:00Z')).toBe('2026-11-21T12:00:00.000Z')
  })

  it('puts none of 2,000 due moments outside its window, the days of the clock change among them', () => {
    const within = (at: Date) => {
      const hour = new Intl.DateTimeFormat('en', {
        hour: 'numeric',
        hourCycle: 'h23',
        timeZone: 'Europe/Vienna',
      })
      return [22, 23, 0, 1, 2].includes(Number(hour.format(at)))
    }
    for (let i = 0; i < 2_000; i += 1) {
      const at = new Date(Date.parse('2026-01-01T00:00:00Z') + i * 4.4 * 3_600_000)
      const open = opensAt(schedule({ windows }), at)
      expect(open && within(open)).toBe(true)
    }
  })
})

describe('scheduleProblem', () => {
  it.each([
    [{ timeZone: 'Europe/Wien' }, 'spec.schedule.timeZone: "Europe/Wien"'],
    [{ cron: '61 * * * *' }, 'spec.schedule.cron: "61 * * * *"'],
    [{ windows: [{ start: 'every day', duration: '1h' }] }, 'spec.schedule.windows[0].start'],
  ])('names the field that means nothing: %j', (change, words) => {
    expect(scheduleProblem(schedule({ every: '24h', ...change }))).toContain(words)
  })

  it('has nothing to say about a schedule that means something', () => {
    expect(scheduleProblem(schedule({ cron: '0 3 * * 1' }))).toBeUndefined()
  })
})
