import { describe, expect, it } from 'vitest'
import { diffFields, diffObjects } from './field-diff.ts'
import { formatPath } from './values.ts'

const paths = (changes: ReturnType<typeof diffFields>) =>
  changes.map((change) => `${change.kind} ${formatPath(change.path)}`)

describe('diffFields', () => {
  it('names each field at its deepest path', () => {
    const before = { spec: { replicas: 1, ports: [{ port: 80 }, { port: 81 }], gone: 'x' } }
    const after = { spec: { replicas: 2, ports: [{ port: 80 }], labels: { 'a/b': 'c' } } }
    expect(paths(diffFields(before, after))).toEqual([
      'delete spec.gone',
      'add spec.labels',
      'delete spec.ports[1]',
      'update spec.replicas',
    ])
  })

  it('finds nothing in equal values', () => {
    expect(diffFields({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([])
  })
})

describe('diffObjects', () => {
  it('passes over what the API server writes by itself', () => {
    const live = {
      metadata: { resourceVersion: '1', generation: 1, labels: { a: '1' } },
      status: { x: 1 },
    }
    const applied = {
      metadata: { resourceVersion: '2', generation: 2, labels: { a: '2' } },
      status: {},
    }
    expect(paths(diffObjects(live, applied))).toEqual(['update metadata.labels.a'])
  })
})
