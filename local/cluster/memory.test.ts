import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Manifest } from './manifest.ts'
import { Memory } from './memory.ts'

const manifest: Manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'shop' },
}
const live = { metadata: { uid: 'a', resourceVersion: '7' } }

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-memory-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('Memory', () => {
  it('has what was saved, with the uid by which it may be deleted', async () => {
    const memory = await Memory.open(folder, 'node')
    memory.settled(manifest, live)
    await memory.save()
    const again = await Memory.open(folder, 'node')
    expect(again.isSame(manifest, live)).toBe(true)
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'settings' }
    expect(again.known()).toEqual([{ key, uid: 'a' }])
  })

  it('knows what was applied and did not settle, and has it applied again', async () => {
    const memory = await Memory.open(folder, 'node')
    memory.applied(manifest, live)
    expect(memory.known()).toHaveLength(1)
    expect(memory.isSame(manifest, live)).toBe(false)
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['cut off', '{"v1 ConfigMap shop/settings":{"asked":"x","uid":"a"'],
    ['null', 'null'],
    ['a text', '"v1 ConfigMap shop/settings"'],
    ['a list', '[{"asked":"x","uid":"a","resourceVersion":"7"}]'],
    ['without objects', '{"v1 ConfigMap shop/settings":null}'],
    ['without uids', '{"v1 ConfigMap shop/settings":{"asked":"x","uid":"","resourceVersion":"7"}}'],
    ['without names', '{"ConfigMap":{"asked":"x","uid":"a","resourceVersion":"7"}}'],
  ])('knows nothing when its file is %s', async (_, content) => {
    if (content !== undefined) await writeFile(join(folder, 'applied-node.json'), content)
    const memory = await Memory.open(folder, 'node')
    expect(memory.known()).toEqual([])
    expect(memory.isSame(manifest, live)).toBe(false)
  })
})
