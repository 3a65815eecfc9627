import { describe, expect, it } from 'vitest'
import { sha256 } from './blob-store.ts'
import { imageDocuments, type ContainerConfig } from './manifest.ts'

const layers = [{ digest: `sha256:${'a'.repeat(64)}`, size: 7 }]
const config: ContainerConfig = { user: '10001:10001', entrypoint: ['/pause'] }

describe('imageDocuments', () => {
  it('names an image by the first 12 digits of its manifest', () => {
    const { manifest, reference } = imageDocuments('pause', layers, config)
    expect(reference).toBe(`palisade.local/pause:${sha256(manifest).slice(0, 12)}`)
  })

  it('puts a version before the digest where an operator reads one from the tag', () => {
    const { reference } = imageDocuments('postgres', layers, { ...config, version: '17' })
    expect(reference).toMatch(/^palisade\.local\/postgres:17-[0-9a-f]{12}$/)
  })

  it('gives another reference when a layer or the configuration changes, and else the same', () => {
    const reference = (changed: Partial<ContainerConfig>, digit = 'a') =>
      imageDocuments('pause', [{ digest: `sha256:${digit.repeat(64)}`, size: 7 }], {
        ...config,
        ...changed,
      }).reference
    expect(reference({})).toBe(reference({}))
    expect(reference({}, 'b')).not.toBe(reference({}))
    expect(reference({ user: '26:26' })).not.toBe(reference({}))
  })

  it('binds manifest and configuration by digest and size, in the order of the layers', () => {
    const documents = imageDocuments('pause', layers, config)
    const manifest = JSON.parse(documents.manifest)
    expect(manifest.config).toMatchObject({
      digest: `sha256:${sha256(documents.config)}`,
      size: documents.config.length,
    })
    expect(manifest.layers).toMatchObject(layers)
    expect(JSON.parse(documents.config).rootfs.diff_ids).toEqual([layers[0]?.digest])
  })
})
