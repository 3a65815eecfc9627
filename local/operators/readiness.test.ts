import { describe, expect, it } from 'vitest'
import { isReady } from './readiness.ts'

const available = [{ type: 'Available', status: 'True' }]

describe('isReady', () => {
  it('takes a definition as ready once it is established', () => {
    const status = (value: string) => ({ conditions: [{ type: 'Established', status: value }] })
    expect(isReady('CustomResourceDefinition', { metadata: {}, status: status('True') })).toBe(true)
    expect(isReady('CustomResourceDefinition', { metadata: {}, status: status('False') })).toBe(
      false,
    )
    expect(isReady('CustomResourceDefinition', { metadata: {} })).toBe(false)
  })

  it('waits while a Deployment is available by the pods of the generation before', () => {
    const seen = (observedGeneration: number, updatedReplicas: number) => ({
      metadata: { generation: 2 },
      status: { conditions: available, observedGeneration, updatedReplicas },
    })
    expect(isReady('Deployment', seen(1, 1))).toBe(false)
    expect(isReady('Deployment', seen(2, 0))).toBe(false)
    expect(isReady('Deployment', seen(2, 1))).toBe(true)
  })
})
