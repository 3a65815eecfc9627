import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findAmbiguity } from './ambiguous-json.ts'

describe('findAmbiguity', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"b":{},"a":2}',
    '{"o":{"x":1,"x":1}}',
    '[{"x":1},{"x":1,"x":2}]',
    '{"a":1,"\\u0061":2}',
    '{"a\\"b":1,"a\\"b":2}',
    '{"\\\\":1,"\\\\":2}',
    '{ "a" : [1,2,{"b":3}] , "a" : 4 }',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
  ])('finds the member that stands twice in %s', (text) => {
    expect(findAmbiguity(text)).toBe('an object names a member twice')
  })

  it.each([
    '{"a":"a","b":"a"}',
    '{"a":{"a":{"a":1}}}',
    '{"a":["b","b","b"],"b":["a","a"]}',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":"\\\\","b":"\\\\"}',
    '["a","a"]',
    '"a"',
    '',
    '{"a":1',
    '{"unfinished',
  ])('finds none in %s', (text) => {
    expect(findAmbiguity(text)).toBeUndefined()
  })

  it('takes a depth of 32 and refuses one more', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(findAmbiguity(nested(32))).toBeUndefined()
    expect(findAmbiguity(nested(33))).toBe('the body is nested deeper than 32')
    expect(findAmbiguity('['.repeat(200_000))).toBe('the body is nested deeper than 32')
  })

  it('finds nothing in whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(findAmbiguity(JSON.stringify(value))).toBeUndefined()
      }),
    )
  })

  it('finds any member of any object that is written once more', () => {
    const object = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 }), {
      minKeys: 1,
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(object, fc.nat(), (value, pick) => {
        const names = Object.keys(value)
        const name = JSON.stringify(names[pick % names.length])
        const twice = `${JSON.stringify(value).slice(0, -1)},${name}:0}`
        expect(findAmbiguity(twice)).toBe('an object names a member twice')
      }),
    )
  })
})
