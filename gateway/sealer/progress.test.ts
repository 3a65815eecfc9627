import { describe, expect, it } from 'vitest'
import { logCheckpointText } from '#core/audit/log-checkpoint'
import { goesFurther } from './progress.ts'

const note = (epoch: number, size: number) => {
  const tree = { root: Buffer.alloc(32, 1), numbering: Buffer.alloc(32, 2) }
  const text = logCheckpointText({ log: 'palisade.dev/audit/t', epoch, size, counter: 1, ...tree })
  return `${text}\n\u2014 palisade.dev/audit/t AAAA\n`
}

describe('goesFurther', () => {
  it.each([
    ['anything', 'nothing', note(1, 1), undefined, true],
    ['more records', 'fewer', note(1, 10), note(1, 9), true],
    ['as many records', 'as many', note(1, 9), note(1, 9), false],
    ['fewer records', 'more', note(1, 8), note(1, 9), false],
    ['a later epoch', 'more records of an earlier one', note(2, 3), note(1, 9), true],
    ['an earlier epoch', 'fewer records of a later one', note(1, 9), note(2, 3), false],
  ])('answers for %s where a place remembers %s', (_, __, offered, there, further) => {
    expect(goesFurther(offered, there)).toBe(further)
  })

  it('compares sizes as numbers', () => {
    expect(goesFurther(note(1, 100), note(1, 99))).toBe(true)
  })

  it('takes what is no checkpoint for more than is offered, so that somebody looks at it', () => {
    expect(goesFurther(note(1, 1), 'hello')).toBe(false)
  })

  it('refuses to offer what is no checkpoint', () => {
    expect(() => goesFurther('hello', note(1, 1))).toThrow(SyntaxError)
  })
})
