import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Sealed } from './sealed.ts'

describe('Sealed', () => {
  const canary = 'canary-7f3a'
  const sealed = Sealed.of({ password: canary })

  it.each([
    ['String()', () => String(sealed)],
    ['a template', () => `${sealed as unknown as string}`],
    ['JSON.stringify', () => JSON.stringify({ sealed })],
    ['inspect with everything shown', () => inspect(sealed, { showHidden: true, depth: 9 })],
    ['format', () => format('%s %o %j', sealed, sealed, sealed)],
    ['an error message', () => new Error(`failed for ${sealed.toString()}`).message],
    ['its own keys', () => Reflect.ownKeys(sealed).join()],
    ['a structured clone', () => inspect(structuredClone({ ...sealed }))],
  ])('shows nothing of the value through %s', (_, show) => {
    expect(show()).not.toContain(canary)
  })

  it('gives the value to reveal()', () => {
    expect(sealed.reveal().password).toBe(canary)
  })
})
