import { describe, expect, it } from 'vitest'
import { isGood, page, type Kill, type SoakResult } from './result.ts'

const result = (asked: number, ...kills: Kill[]): SoakResult => ({
  date: '2026-11-27',
  machine: { cores: 2, cpu: 'x', memoryGiB: 8, kernel: '6', node: 'v24', commit: 'abc' },
  loadBefore: 0,
  seed: 7,
  asked,
  minutes: 1,
  kills,
})
const survived: Kill = { place: 'setVerifier.before:kill', died: 1, seconds: 2 }
const lost: Kill = { ...survived, failure: 'two versions' }

describe('isGood', () => {
  it('is true when every kill that was asked for was survived', () => {
    expect(isGood(result(2, survived, survived))).toBe(true)
  })
  it('is false when one was not survived', () => {
    expect(isGood(result(2, survived, lost))).toBe(false)
  })
  it('is false when fewer were killed than was asked for', () => {
    expect(isGood(result(2, survived))).toBe(false)
    expect(isGood(result(1))).toBe(false)
  })
})

describe('page', () => {
  it('counts kills and failures per place and says how to see them again', () => {
    const text = page(result(3, survived, survived, lost))
    expect(text).toContain('| `setVerifier.before:kill` | 3 | 1 |')
    expect(text).toContain('make soak ARGS="--kills 3 --seed 7"')
  })
})
