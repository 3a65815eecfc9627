import { describe, expect, it } from 'vitest'
import { printable, printableJson } from './printable.ts'

const HOSTILE = 'a\u001b[2J\u009b31m\u202eb\u2028c\u{e0041}d\r\n'

describe('printable', () => {
  it('leaves nothing that a terminal obeys', () => {
    expect(printable(HOSTILE)).toBe('a\ufffd[2J\ufffd31m\ufffdb\ufffdc\ufffdd\ufffd\ufffd')
  })

  it('leaves what people write', () => {
    expect(printable('1/1..9 — Zoë, 日本 🙂')).toBe('1/1..9 — Zoë, 日本 🙂')
  })
})

describe('printableJson', () => {
  it('is the same value in characters that a terminal shows', () => {
    const value = { [HOSTILE]: [HOSTILE, 1, 'Zoë 🙂'] }
    const text = printableJson(value)
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(JSON.parse(text)).toEqual(value)
  })
})
