import { describe, expect, it } from 'vitest'
import { OPERATIONS } from '../rest/operations.ts'
import { openApi } from './openapi.ts'

const document = openApi()
const text = JSON.stringify(document)

describe('openApi', () => {
  it('has a component behind each reference', () => {
    const { schemas } = document['components'] as { schemas: Readonly<Record<string, unknown>> }
    const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      (match) => match[1] ?? '',
    )
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(schemas).toHaveProperty(name)
  })

  it('declares each parameter of a path', () => {
    const paths = document['paths'] as Readonly<
      Record<string, Readonly<Record<string, { parameters?: { name: string; in: string }[] }>>>
    >
    for (const [path, methods] of Object.entries(paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      for (const { parameters = [] } of Object.values(methods)) {
        const declared = parameters.filter((one) => one.in === 'path').map(({ name }) => name)
        expect(declared).toEqual(wanted)
      }
    }
  })

  it('asks for a token on everything but login, key set and probes', () => {
    const open = OPERATIONS.filter(({ access }) => access === 'public').map(({ path }) => path)
    expect(open).toEqual(['/api/v1/auth/login', '/.well-known/jwks.json', '/readyz'])
  })

  it('answers no value of a secret but to a read', () => {
    const withValue = OPERATIONS.filter(({ answer }) =>
      JSON.stringify(answer.schema ?? {}).includes('"value"'),
    )
    expect(withValue.map(({ id }) => id)).toEqual(['readSecret'])
  })
})
