import { describe, expect, it } from 'vitest'
import { cpuMicros, parseStat } from './cpu.ts'

describe('parseStat', () => {
  it('reads behind a name that holds brackets and spaces', () => {
    const text = '42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1'
    expect(parseStat(text)).toEqual({ parent: 7, times: [10, 20, 30, 40] })
  })
})

describe('cpuMicros', () => {
  it('is no less than what the process counts of itself, to the tick', async () => {
    const { user, system } = process.cpuUsage()
    expect(await cpuMicros(process.pid)).toBeGreaterThanOrEqual(user + system - 20_000)
  })

  it('is nothing for a process that is not there', async () => {
    expect(await cpuMicros(2 ** 30)).toBe(0)
  })
})
