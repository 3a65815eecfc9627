import { describe, expect, it } from 'vitest'
import { type BuildInputs, digestOf } from './digest.ts'

const inputs: BuildInputs = {
  goMod: 'module m',
  goSum: 'sum',
  main: 'package main',
  ldflags: '-s',
  package: 'p',
  goVersion: 'go1.26.8',
}

describe('digestOf', () => {
  it('is the same for the same inputs in another order', () => {
    expect(digestOf(Object.fromEntries(Object.entries(inputs).reverse()) as never)).toBe(
      digestOf(inputs),
    )
  })
  it.each(Object.keys(inputs))('changes with %s', (name) => {
    expect(digestOf({ ...inputs, [name]: 'other' })).not.toBe(digestOf(inputs))
  })
  it('tells apart values that only join to the same text', () => {
    expect(digestOf({ ...inputs, goMod: 'ab', goSum: 'c' })).not.toBe(
      digestOf({ ...inputs, goMod: 'a', goSum: 'bc' }),
    )
  })
})
