import { describe, expect, it } from 'vitest'
import { watermarkOf, type Watermark } from './watermark.ts'

const walk = (...shares: number[]): Watermark[] => {
  let mark: Watermark = 'below'
  return shares.map((share) => (mark = watermarkOf(share, mark)))
}

describe('watermarkOf', () => {
  it('is short from 90 % and closed from 95 %', () => {
    expect(walk(0.1, 0.8999, 0.9, 0.9499, 0.95, 1.4)).toEqual([
      ...['below', 'below', 'short', 'short', 'closed', 'closed'],
    ])
  })

  it('goes back only two points below the mark, so that it does not flap', () => {
    expect(walk(0.95, 0.94, 0.95, 0.935, 0.93, 0.949)).toEqual([
      ...['closed', 'closed', 'closed', 'closed', 'short', 'short'],
    ])
    expect(walk(0.9, 0.89, 0.881, 0.88, 0.899)).toEqual([
      ...['short', 'short', 'short', 'below', 'below'],
    ])
  })

  it('opens at once when all of the room is back', () => {
    expect(walk(1, 0.2)).toEqual(['closed', 'below'])
  })
})
