import { describe, expect, it } from 'vitest'
import { LineSplitter } from './line-splitter.ts'

/** What comes out of a text in chunks of so many bytes, and what is left behind the last newline. */
function split(text: string, bytes: number, longest?: number) {
  const splitter = new LineSplitter(longest)
  const all = Buffer.from(text)
  const lines: string[] = []
  for (let at = 0; at < all.length; at += bytes) {
    lines.push(...splitter.push(all.subarray(at, at + bytes)))
  }
  return [...lines, splitter.end()]
}

describe('LineSplitter', () => {
  it.each([1, 2, 3, 5, 100])('gives the lines of a text in chunks of %i bytes', (bytes) => {
    expect(split('a\n\nZoë 🙂\nlast', bytes)).toEqual(['a', '', 'Zoë 🙂', 'last'])
    expect(split('a\n', bytes)).toEqual(['a', ''])
    expect(split('', bytes)).toEqual([''])
  })

  it.each([1, 4, 100])(
    'holds no line that is longer than any exporter writes, by %i bytes',
    (bytes) => {
      expect(split('12345678\n12345678', bytes, 8)).toEqual(['12345678', '12345678'])
      expect(() => split('1\n123456789', bytes, 8)).toThrow('longer than any exporter writes')
      expect(() => split('123456789\n1', bytes, 8)).toThrow('longer than any exporter writes')
    },
  )

  it('refuses what is no text, also at the very end', () => {
    const splitter = new LineSplitter()
    expect(() => splitter.push(Buffer.from([0xff]))).toThrow(TypeError)
    const cutOff = new LineSplitter()
    expect(cutOff.push(Buffer.from([0x61, 10, 0xe2]))).toEqual(['a'])
    expect(() => cutOff.end()).toThrow(TypeError)
  })
})
