import { describe, expect, it } from 'vitest'
import { addedRun } from '../../test/support/added-run.ts'
import { addedByRound, addedSection, addedTo } from './report-added.ts'

describe('addedTo', () => {
  it('is the difference over all samples, whatever the rounds say', () => {
    expect(addedTo('p99', addedRun([4, 30, 5], 9))).toBe(9)
    expect(addedByRound('p99', addedRun([4, 30, 5], 9))).toEqual([4, 30, 5])
  })
})

describe('addedSection', () => {
  const page = addedSection(addedRun([4, 30, 5], 9)).join('\n')

  it('shows both sides, their difference and the disk with the same quantiles', () => {
    expect(page).toContain('| without a record | 30000 | 1.0 | 2.0 | 2.0 | 20.0 | 40.0 |')
    expect(page).toContain('| with its record | 30000 | 1.0 | 2.0 | 11.0 | 20.0 | 40.0 |')
    expect(page).toContain('| added |  | **0.00** | **0.00** | **9.0** | **0.00** |  |')
    expect(page).toContain('database at rest | 10000 | 1.0 | 2.0 | 5.0 | 20.0 | 40.0 |')
  })

  it('shows how far the rounds are apart, and each of them', () => {
    expect(page).toContain('round by round: 5.0 (4.0 to 30.0), in order 4.0, 30.0, 5.0.')
  })

  it('tells what was the generator’s and what else happened, per request where it grows with them', () => {
    expect(page).toContain('| sent late by the generator | 0.10 | 0.10 |')
    expect(page).toContain('| fsyncs of the write-ahead log a request | 0.33 | 0.33 |')
    expect(page).toContain('| checkpoints that ended | 1 | 1 |')
  })

  it('says so when the machine was not quiet', () => {
    expect(page).not.toContain('not quiet')
    expect(addedSection(addedRun([4], 4, 3)).join('\n')).toContain('not quiet')
  })
})
