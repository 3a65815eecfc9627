import { mkdtemp, mkdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { layoutArchive } from './archive.ts'
import { BlobStore, sha256 } from './blob-store.ts'
import { LayerWriter } from './layer.ts'
import { imageDocuments, type ContainerConfig } from './manifest.ts'

let folder: string
let store: BlobStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layer-'))
  store = new BlobStore(join(folder, 'store'))
})

afterEach(() => rm(folder, { recursive: true }))

const sample = async (name: string, modified: Date): Promise<string> => {
  const path = join(folder, name)
  await mkdir(join(path, 'inner'), { recursive: true })
  await writeFile(join(path, 'inner', 'b.ts'), 'export {}')
  await writeFile(join(path, 'a.ts'), 'export {}')
  await symlink('a.ts', join(path, 'link'))
  await utimes(join(path, 'a.ts'), modified, modified)
  return path
}

const layerOf = async (path: string) => {
  const layer = new LayerWriter(store)
  await layer.tree('app', path)
  return layer.done()
}

const entries = async (archive: AsyncIterable<Uint8Array> | NodeJS.ReadableStream) => {
  const found = new Map<string, { header: Record<string, unknown>; body: string }>()
  const reader = (archive as NodeJS.ReadableStream).pipe(extract())
  for await (const entry of reader) {
    found.set(entry.header.name, {
      header: { ...entry.header },
      body: await text(entry),
    })
  }
  return found
}

describe('LayerWriter', () => {
  it('gives the same digest for the same files, whatever their times', async () => {
    const [one, two] = [await sample('one', new Date(1e12)), await sample('two', new Date(2e12))]
    expect((await layerOf(one)).digest).toBe((await layerOf(two)).digest)
  })

  it('gives another digest when a file changes', async () => {
    const path = await sample('one', new Date())
    const before = await layerOf(path)
    await writeFile(join(path, 'a.ts'), 'export {};')
    expect((await layerOf(path)).digest).not.toBe(before.digest)
  })

  it('takes set-uid and set-gid bits away and keeps the sticky bit of a folder', async () => {
    const layer = new LayerWriter(store)
    await layer.text('usr/bin/su', '', 0o6755)
    await layer.directory('tmp', 0o1777)
    const seen = await entries(store.open(await layer.done()))
    expect(seen.get('usr/bin/su')?.header.mode).toBe(0o755)
    expect(seen.get('tmp/')?.header.mode).toBe(0o1777)
  })
})

describe('BlobStore.layersFor', () => {
  it('builds once for the same inputs, and again when a blob was damaged', async () => {
    let builds = 0
    const build = async () => {
      builds += 1
      return { only: await layerOf(await sample(`build-${builds}`, new Date())) }
    }
    const { only } = await store.layersFor('inputs', build)
    await store.layersFor('inputs', build)
    expect(builds).toBe(1)
    await truncate(store.path(only.digest), 10)
    await store.layersFor('inputs', build)
    expect(builds).toBe(2)
  })

  it('is not believed when the build failed half way', async () => {
    const failing = store.layersFor('inputs', () => Promise.reject(new Error('no space left')))
    await expect(failing).rejects.toThrow('no space left')
    const layer = { only: await layerOf(await sample('later', new Date())) }
    expect(await store.layersFor('inputs', async () => layer)).toEqual(layer)
  })
})

describe('BlobStore.prune', () => {
  it('deletes what an hour ago was last used, and keeps what this run used or is told of', async () => {
    const [indexed, told, stale] = [
      await layerOf(await sample('a', new Date())),
      await new LayerWriter(store).done(),
      await store.write(Readable.from([Buffer.from('left by an earlier version')])),
    ]
    await store.layersFor('inputs', async () => ({ indexed }))
    await store.prune([told], new Date())
    expect(existsSync(store.path(stale.digest))).toBe(true)
    await store.prune([told], new Date(Date.now() + 2 * 60 * 60 * 1000))
    const there = [indexed, told, stale].map(({ digest }) => existsSync(store.path(digest)))
    expect(there).toEqual([true, true, false])
  })
})

describe('layoutArchive', () => {
  const config: ContainerConfig = { user: '10001:10001', entrypoint: ['/x'] }

  it('holds each blob under its digest and leaves out layers that the receiver has', async () => {
    const base = await layerOf(await sample('base', new Date()))
    const extra = new LayerWriter(store)
    await extra.text('version', '2')
    const layers = [base, await extra.done()]
    const { reference } = imageDocuments('x', layers, config)
    const image = { name: 'x', reference, layers, config }
    const seen = await entries(layoutArchive([image], store, (digest) => digest !== base.digest))
    const blobs = [...seen].filter(([name]) => name.startsWith('blobs/'))
    expect(blobs).toHaveLength(3) // the other layer, configuration, manifest
    for (const [name, { body }] of blobs) expect(name).toBe(`blobs/sha256/${sha256(body)}`)
    const index = JSON.parse(seen.get('index.json')?.body ?? '')
    expect(index.manifests[0].annotations['io.containerd.image.name']).toBe(reference)
  })
})
