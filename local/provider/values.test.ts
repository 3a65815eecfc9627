import { describe, expect, it } from 'vitest'
import { LocalError } from '../errors.ts'
import { decode, formatPath, hasUnknown, UNKNOWN } from './values.ts'

const SIGNATURE = '4dabf18193072939515e22adb298388d'
const secret = (value: unknown) => ({ [SIGNATURE]: '1b47061264138c4ac30d75fd1eb44270', value })

describe('decode', () => {
  it('takes the mark off a secret and remembers where it stood', () => {
    const { value, secrets } = decode({ data: secret({ a: '1' }), list: ['x', secret('y')] })
    expect(value).toEqual({ data: { a: '1' }, list: ['x', 'y'] })
    expect(secrets).toEqual([['data'], ['list', 1]])
  })

  it('takes an output without a value for one that is not known yet', () => {
    const { value } = decode({ a: { [SIGNATURE]: 'd0e6a833031e9bbcd3f4e8bde6ca49a4' } })
    expect(hasUnknown(value)).toBe(true)
    expect(value.a).toBe(UNKNOWN)
  })

  it('refuses an asset by its path', () => {
    const asset = { [SIGNATURE]: 'c44067f5952c0a294b673a41bacd8c17', text: 'x' }
    expect(() => decode({ spec: { file: asset } })).toThrow(LocalError)
    expect(() => decode({ spec: { file: asset } })).toThrow(/"spec\.file"/)
  })
})

describe('formatPath', () => {
  it('quotes keys that are not words and puts places in brackets', () => {
    const path = ['spec', 'template', 'metadata', 'labels', 'app.kubernetes.io/name']
    expect(formatPath(path)).toBe('spec.template.metadata.labels["app.kubernetes.io/name"]')
    expect(formatPath(['spec', 'ports', 0, 'port'])).toBe('spec.ports[0].port')
  })
})
