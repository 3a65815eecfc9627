import { describe, expect, it } from 'vitest'
import { markObject, redact, secretTexts } from './secrets.ts'
import { decode, type JsonMap } from './values.ts'

const none = new Set<string>()

describe('markObject', () => {
  it('marks all data of a Secret, whoever wrote it', () => {
    const object = { apiVersion: 'v1', kind: 'Secret', data: { a: 'b25l' }, type: 'Opaque' }
    expect(decode(markObject(object, [], none)).secrets).toEqual([['data']])
  })

  it('leaves a custom kind of the name Secret alone', () => {
    const object = { apiVersion: 'example.com/v1', kind: 'Secret', data: { a: '1' } }
    expect(decode(markObject(object, [], none)).secrets).toEqual([])
  })

  it('keeps the marks of the inputs on the live object', () => {
    const live = { kind: 'ConfigMap', data: { a: 'one', b: 'two' }, metadata: { uid: '1' } }
    expect(decode(markObject(live, [['data', 'b']], none)).secrets).toEqual([['data', 'b']])
  })

  it('finds a secret text that a webhook moved, also within a longer one', () => {
    const texts = secretTexts({ password: 'hidden-1' }, [['password']])
    const live = { spec: { args: ['--url=https://u:hidden-1@db'], other: 'plain' } }
    expect(decode(markObject(live, [], texts)).secrets).toEqual([['spec', 'args', 0]])
  })
})

describe('redact', () => {
  it('replaces a secret as it stands and as base64', () => {
    const inputs: JsonMap = { data: { key: 'hidden-2' } }
    const texts = secretTexts(inputs, [['data']])
    const base64 = Buffer.from('hidden-2').toString('base64')
    expect(redact(`bad value "hidden-2" or ${base64}`, texts)).toBe(
      'bad value "[secret]" or [secret]',
    )
  })
})
