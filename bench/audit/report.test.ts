import { describe, expect, it } from 'vitest'
import { addedRun } from '../../test/support/added-run.ts'
import { proofSizes } from './proof-sizes.ts'
import { markdownOf, type Measured, type OwnPart, type Round, verdictsOf } from './report.ts'

const part = (perSecond: number, p99 = 5) => ({ records: 10, perSecond, p50: 1, p99 })
const own = (perSecond: number, sealP99 = 400): OwnPart => ({
  ...part(perSecond),
  ...{ fsyncs: 0.25, walBytes: 2_700, gatewayCpu: 200, postgresCpu: 400, sealerCpu: 60, sealP99 },
})
const peer = (version: string) => ({
  full: { version, full: part(500), steady: part(500, 120) },
  wide: { version, full: part(10_000) },
})
const round = (perSecond: number): Round => ({
  full: own(perSecond),
  wide: own(perSecond),
  steady: own(500),
  peers: { tessera: peer('v1'), immudb: peer('v2') },
})
const measured: Measured = {
  at: '2026-11-27T09:00:00Z',
  command: 'make bench-audit',
  machine: { cores: 2, cpu: 'x', memoryGiB: 24, kernel: '6', node: 'v24', commit: 'abc' },
  go: 'Go 1.26',
  postgres: { server_version: '18', fsync: 'on' },
  load: { before: 0.1, after: 2 },
  recordBytes: 945,
  writers: { full: 64, wide: 1024 },
  rate: 500,
  seconds: 3,
  rounds: [round(3_100), round(2_000), round(3_200)],
  added: addedRun([4, 30, 5], 9),
  log: { records: 1_000_000, perBatch: 250, bytes: 1.6e9 },
  verified: [{ seconds: 11, cpuSeconds: 16, peakMiB: 700 }],
  proofs: proofSizes(1_000),
}
const kept = (change: Partial<Measured> = {}) =>
  verdictsOf({ ...measured, ...change }).map(({ isKept }) => isKept)

describe('verdictsOf', () => {
  it('judges by the medians of the rounds', () => {
    expect(kept()).toEqual([true, true, true, true])
    expect(kept({ rounds: [round(2_999)] })).toEqual([false, true, true, true])
  })

  it('judges what is added by all samples, and calls it a trial by its own occasion', () => {
    expect(kept({ added: addedRun([4, 5, 6], 11) })).toEqual([true, false, true, true])
    expect(kept({ added: addedRun([4, 90, 6], 9.9) })).toEqual([true, true, true, true])
    const trials = verdictsOf({ ...measured, added: addedRun([4], 4, 3) })
    expect(trials.map(({ isTrial }) => isTrial)).toEqual([false, true, false, false])
  })

  it('does not tell from a smaller log how long a million takes', () => {
    expect(kept({ log: { ...measured.log, records: 1_000 } }).at(-1)).toBe(false)
  })
})

describe('markdownOf', () => {
  it('shows ours and the peers in one table, with the ratio of the same round', () => {
    const page = markdownOf(measured)
    expect(page).toContain('| Palisade | 64 | 3100 (2000 to 3200) | 1.00 (1.00 to 1.00) |')
    expect(page).toContain('| tessera | 64 | 500 (500 to 500) | 0.16 (0.16 to 0.25) |')
    expect(page).not.toContain('not quiet')
  })

  it('says so when the machine was not quiet', () => {
    expect(markdownOf({ ...measured, load: { before: 3, after: 3 } })).toContain('not quiet')
  })
})

describe('proofSizes', () => {
  it('counts two paths for a record and one for the history', () => {
    expect(proofSizes(1_000)).toMatchObject({
      record: { hashes: 20, bytes: 640 },
      tenant: { records: 50, bytes: 32_000 },
    })
  })
})
