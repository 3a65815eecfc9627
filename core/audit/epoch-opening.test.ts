import { describe, expect, it } from 'vitest'
import { isGivenUp, lostRange, openingLines, readOpening, type LogEnd } from './epoch-opening.ts'

const end = (epoch: number, size: number, byte = size): LogEnd => ({
  epoch,
  size,
  root: Buffer.alloc(32, byte),
})
const opening = { survives: end(1, 100), lost: end(1, 200) }
const later = { survives: end(1, 80), lost: end(3, 50) }

describe('readOpening', () => {
  it('reads what was written, and nothing where nothing was', () => {
    expect(readOpening(['counter 4', ...openingLines(opening)])).toEqual(opening)
    expect(readOpening(['counter 4'])).toBeUndefined()
  })

  it.each([
    ['half of it', openingLines(opening).slice(1)],
    ['what gives nothing up', openingLines({ survives: end(1, 200), lost: end(1, 200) })],
    ['another form', ['survives 1 x AAAA', 'lost-to 1 2 AAAA']],
  ])('refuses %s', (_, lines) => expect(() => readOpening(lines)).toThrow(SyntaxError))
})

describe('isGivenUp', () => {
  it.each([
    ['inside of what was lost', opening, end(1, 150), true],
    ['the last that was lost', opening, end(1, 200), true],
    ['of the same size and another root', opening, end(1, 200, 7), false],
    ['beyond what was named', opening, end(1, 201), false],
    ['what survived', opening, end(1, 100), false],
    ['of an epoch in between', later, end(2, 9_999), true],
    ['of an epoch that came later', later, end(4, 1), false],
  ])('judges a checkpoint %s', (_, given, checkpoint, expected) => {
    expect(isGivenUp(given, checkpoint)).toBe(expected)
  })
})

describe('lostRange', () => {
  it('names the places, as far as they are known', () => {
    expect([opening, later].map(lostRange)).toEqual(['1/101..200', '1/81..3/50'])
  })
})
