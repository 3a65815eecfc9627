import { describe, expect, it } from 'vitest'
import { failuresOf } from './failures.ts'

const file = (assertionResults: object[], status = 'failed', message = '') =>
  ({
    testResults: [{ name: '/checkout/gateway/app.test.ts', status, message, assertionResults }],
  }) as Parameters<typeof failuresOf>[0]

describe('failuresOf', () => {
  it('says of each failed test where it is, what it is called and why, without colours and stack', () => {
    const failed = {
      fullName: 'the gateway answers',
      status: 'failed',
      failureMessages: ['AssertionError: \u001b[31mexpected 1\u001b[39m\n    at file:1:2'],
    }
    const passed = { fullName: 'the gateway listens', status: 'passed', failureMessages: [] }
    expect(failuresOf(file([passed, failed]))).toEqual([
      'gateway/app.test.ts: the gateway answers: AssertionError: expected 1',
    ])
  })
  it('shows the last words of a program that ended in the middle of a test', () => {
    const said = Array.from({ length: 30 }, (_, i) => `step ${i + 1}`).join('\n')
    const message = `AssertionError: ${said}: expected 1 to be +0\n    at file:1:2\n    at file:2:2`
    const failed = { fullName: 'up mends', status: 'failed', failureMessages: [message] }
    const lines = failuresOf(file([failed]))[0]?.split('\n') ?? []
    expect(lines[0]).toBe('gateway/app.test.ts: up mends: AssertionError: step 1')
    expect(lines.at(-1)).toBe('    step 30: expected 1 to be +0')
    expect(lines).toHaveLength(13)
  })
  it('names a test that was skipped', () => {
    const skipped = { fullName: 'the gateway sleeps', status: 'skipped', failureMessages: null }
    expect(failuresOf(file([skipped], 'passed'))).toEqual([
      'gateway/app.test.ts: the gateway sleeps: skipped',
    ])
  })
  it('names a file that could not be loaded', () => {
    expect(failuresOf(file([], 'failed', 'Cannot find module'))).toEqual([
      'gateway/app.test.ts: the file itself: Cannot find module',
    ])
  })
  it('is empty when all passed', () => {
    expect(failuresOf(file([{ fullName: 'a', status: 'passed' }], 'passed'))).toEqual([])
  })
})
