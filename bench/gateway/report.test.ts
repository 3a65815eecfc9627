import { describe, expect, it } from 'vitest'
import { busyWith } from '../quiet.ts'
import { spreadOf } from '../spread.ts'
import { markdownOf, type Measured, ratiosToBare, verdictsOf } from './report.ts'

const run = (perSecond: number) => ({ perSecond, p50: 0, p99: 2, cpu: 30, redisCalls: 0 })
const series = (connections: number, bare: number[], local: number[], redis: number[]) => ({
  connections,
  runs: { bare: bare.map(run), local: local.map(run), redis: redis.map(run) },
})
const measured: Measured = {
  at: '2026-11-27T09:00:00Z',
  machine: { cores: 2, cpu: 'x', memoryGiB: 24, kernel: '6', node: 'v24', commit: 'abc' },
  tool: 'autocannon 8',
  redis: 'Valkey 8.1',
  load: { before: 0.1, after: 2 },
  rounds: 3,
  seconds: 5,
  series: [
    series(1, [100, 50, 100], [85, 40, 79], [60, 30, 60]),
    series(64, [100, 100, 100], [79, 79, 90], [55, 55, 55]),
  ],
  token: [{ cached: 2.5, verified: 80 }],
}

describe('spreadOf', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
  ])('takes the middle of %j', (numbers, median) => {
    expect(spreadOf(numbers)).toMatchObject({ median, lowest: 1 })
  })
})

describe('ratiosToBare', () => {
  it('compares with bare of the same round, so that a slow round changes no ratio', () => {
    expect(ratiosToBare(measured.series[0]!, 'local')).toEqual([0.85, 0.8, 0.79])
  })
})

describe('verdictsOf', () => {
  it('holds each promise against its median', () => {
    expect(verdictsOf(measured).map(({ isKept }) => isKept)).toEqual([true, false, true, true])
  })

  it('says so in the table', () => {
    const table = markdownOf(measured)
    expect(table).toContain(
      '| local limiter at 64: at least 80 % of bare Fastify | 79 % | **no** |',
    )
    expect(table).toContain('| local | 1 | 79 (40 to 85) | 80 % (79 % to 85 %) | <1 | 2 |')
  })
})

describe('busyWith', () => {
  it('lets nothing start above a load of 0.5, unless told', () => {
    expect(busyWith(0.5, false)).toBeUndefined()
    expect(busyWith(0.51, false)).toContain('ERR_MACHINE_BUSY')
    expect(busyWith(12, true)).toBeUndefined()
  })
})
