import { describe, expect, it } from 'vitest'
import { explain, LocalError } from './errors.ts'

describe('explain', () => {
  it('names why something expected did not happen', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:8443')
    const error = new Error('an answer from the gateway did not happen', { cause })
    expect(explain(error)).toContain('cause: connect ECONNREFUSED 127.0.0.1:8443')
  })
  it('gives an expected failure as code, cause and remedy without a stack', () => {
    const error = new LocalError('ERR_X', 'it failed', 'do this', new Error('why'))
    expect(explain(error)).toBe('ERR_X: it failed\n  cause: why\n  → do this')
  })
  it('does not repeat the words of a program that ended', () => {
    const ended = Object.assign(new Error('Command failed: x\nno'), { cmd: 'x' })
    expect(explain(new LocalError('ERR_X', 'x said no', 'do this', ended))).not.toContain('cause:')
  })
})
