import { describe, expect, it } from 'vitest'
import { notGreen, verdictOn } from './verdict.ts'

const ran = (status: string, failure?: string, title = 'holds') => ({
  ...{ ancestorTitles: ['log'], title, status },
  failureMessages: failure === undefined ? [] : [failure],
})
const verdict = (...assertionResults: object[]) =>
  verdictOn(JSON.stringify({ testResults: [{ message: '', assertionResults }] }), 'log > holds')

describe('verdictOn', () => {
  it('is red when the named test was refuted, and green when it passed', () => {
    const other = ran('skipped', undefined, 'is not asked')
    expect(verdict(other, ran('failed', 'AssertionError: expected 3 to be 4'))).toEqual({
      kind: 'red',
    })
    const kept = 'Error: promise resolved "null" instead of rejecting'
    expect(verdict(other, ran('failed', kept))).toEqual({ kind: 'red' })
    expect(verdict(other, ran('passed'))).toEqual({ kind: 'green' })
  })

  it.each([
    ['a syntax error in a statement', 'error: column "x" does not exist'],
    ['a set-up that took too long', 'Error: Hook timed out in 120000ms.'],
    ['a member that is gone', 'TypeError: sealBatch is not a function'],
  ])('takes %s for no proof', (_, failure) => {
    expect(verdict(ran('failed', failure))).toMatchObject({
      kind: 'unfit',
      reason: expect.stringContaining(failure),
    })
  })

  it('takes a file that cannot be imported for no proof, and says why it cannot', () => {
    const testResults = [{ message: 'SyntaxError: x\n at y', assertionResults: [] }]
    expect(verdictOn(JSON.stringify({ testResults }), 'log > holds')).toEqual({
      kind: 'unfit',
      reason: 'no test ran: SyntaxError: x',
    })
  })

  it('takes no report, no test, two tests and another test for no proof', () => {
    expect(verdictOn(undefined, 'log > holds').kind).toBe('unfit')
    expect(verdict(ran('skipped')).kind).toBe('unfit')
    expect(verdict(ran('failed', 'AssertionError: a'), ran('passed')).kind).toBe('unfit')
    expect(verdict(ran('failed', 'AssertionError: a', 'falls')).kind).toBe('unfit')
  })
})

describe('notGreen', () => {
  const report = (...assertionResults: object[]) =>
    JSON.stringify({ testResults: [{ assertionResults }] })

  it('names what failed, what did not run, and all when nothing is known', () => {
    const tests = ['log > holds', 'log > falls', 'log > is away']
    const known = report(ran('passed'), ran('failed', 'x', 'falls'), ran('skipped', '', 'is away'))
    expect(notGreen(known, tests)).toEqual(['log > falls', 'log > is away'])
    expect(notGreen(undefined, tests)).toEqual(tests)
    expect(notGreen(report(ran('passed')), ['log > holds'])).toEqual([])
  })
})
