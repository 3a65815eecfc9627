import { describe, expect, it } from 'vitest'
import { Type } from 'typebox'
import { outputs } from './outputs.ts'
import { structural } from './structural.ts'
import { outdated } from './write.ts'

describe('generated files', () => {
  it('are what api/ says now', async () => {
    expect(await outdated(outputs())).toEqual([])
  })

  it('would show a change of api/', async () => {
    const changed = outputs().map(({ path, text }) => ({ path, text: `${text}x` }))
    expect(await outdated(changed)).toHaveLength(changed.length)
  })
})

describe('structural', () => {
  it('does not require what has a default, and completes the default of an object', () => {
    const inner = Type.Object(
      { a: Type.Integer({ default: 1 }), b: Type.Optional(Type.String()) },
      { default: {} },
    )
    const schema = Type.Object({ inner, name: Type.String() }, { additionalProperties: false })
    expect(structural(schema)).toEqual({
      type: 'object',
      required: ['name'],
      properties: {
        inner: {
          type: 'object',
          default: { a: 1 },
          properties: { a: { type: 'integer', default: 1 }, b: { type: 'string' } },
        },
        name: { type: 'string' },
      },
    })
  })
})
