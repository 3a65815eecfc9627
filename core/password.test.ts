import { describe, expect, it } from 'vitest'
import { generatePassword } from './password.ts'

describe('generatePassword', () => {
  it('carries all of 256 random bits', () => {
    const bits = Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i))
    expect(
      Buffer.from(
        generatePassword(() => bits),
        'base64url',
      ),
    ).toEqual(bits)
  })

  it('needs no escaping in a connection URI and never repeats', () => {
    const many = Array.from({ length: 200 }, () => generatePassword())
    expect(new Set(many).size).toBe(200)
    for (const password of many) {
      expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(encodeURIComponent(password)).toBe(password)
    }
  })
})
