import { describe, expect, it } from 'vitest'
import { imageConfig, summaryOf } from './platform.ts'

describe('summaryOf', () => {
  it('says unchanged when every resource stayed the same', () => {
    expect(summaryOf({ changes: { same: 120, update: 0 } })).toBe('unchanged')
  })
  it('counts what changed', () => {
    expect(summaryOf({ changes: { same: 3, create: 2, delete: 1 } })).toBe('2 create, 1 delete')
  })
})

describe('imageConfig', () => {
  it('passes on the images of the platform and none of the cluster', () => {
    const config = imageConfig({ control: 'c:1', coredns: 'd:1' })['palisade:images']
    expect(config).toMatchObject({ control: 'c:1' })
    expect(config).not.toHaveProperty('coredns')
  })
})
