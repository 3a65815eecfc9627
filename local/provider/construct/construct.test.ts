import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { JsonMap } from '../values.ts'
import { childName } from './children.ts'
import { groupObjects } from './config-group.ts'
import { parseManifests } from './manifests.ts'
import { order, referenceOf } from './order.ts'

const object = (apiVersion: string, kind: string, name: string, more: JsonMap = {}): JsonMap => ({
  apiVersion,
  kind,
  metadata: { name, ...more },
})
const definition: JsonMap = {
  ...object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'widgets.example.com'),
  spec: { group: 'example.com', names: { kind: 'Widget' } },
}

describe('childName', () => {
  it('puts namespace and name behind the name of the component', () => {
    expect(childName('small', object('v1', 'ConfigMap', 'cm', { namespace: 'shop' }))).toBe(
      'small:shop/cm',
    )
    expect(childName('small', definition)).toBe('small:widgets.example.com')
  })
})

describe('order', () => {
  const names = (objects: JsonMap[]) => order(objects).map((one) => referenceOf(one.object))

  it('puts a definition before its objects and a namespace before what is in it', () => {
    const widget = object('example.com/v1', 'Widget', 'w', { namespace: 'shop' })
    const all = [widget, object('v1', 'Namespace', 'shop'), definition]
    expect(names(all)).toEqual([
      'apiextensions.k8s.io/CustomResourceDefinition/widgets.example.com',
      '/Namespace/shop',
      'example.com/namespaces/shop/Widget/w',
    ])
    expect(order(all)[2]?.needs.toSorted()).toEqual([0, 1])
  })

  it('follows the depends-on annotation and refuses a circle', () => {
    const on = (reference: string) => ({
      annotations: { 'config.kubernetes.io/depends-on': reference },
    })
    const first = object('v1', 'ConfigMap', 'a', on('/ConfigMap/b'))
    const second = object('v1', 'ConfigMap', 'b')
    expect(names([first, second])).toEqual(['/ConfigMap/b', '/ConfigMap/a'])
    const circle = object('v1', 'ConfigMap', 'b', on('/ConfigMap/a'))
    expect(() => order([first, circle])).toThrow(/depends on itself/)
  })
})

describe('parseManifests', () => {
  it('takes lists apart and leaves empty documents out', () => {
    const yaml =
      '---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n'
    expect(parseManifests(yaml, 'test')).toEqual([{ apiVersion: 'v1', kind: 'Pod' }])
    expect(parseManifests('', 'test')).toEqual([])
  })

  it('names the origin of a document without a kind', () => {
    expect(() => parseManifests('a: 1', 'chart x')).toThrow(
      /chart x: a document without apiVersion/,
    )
  })
})

describe('groupObjects', () => {
  it('reads objects, texts and files from the folder of the program', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-group-'))
    try {
      await writeFile(join(folder, 'one.yaml'), 'apiVersion: v1\nkind: Pod\n')
      const inputs = {
        files: ['*.yaml'],
        yaml: 'apiVersion: v1\nkind: Service',
        objs: [object('v1', 'Secret', 's')],
      }
      const kinds = (await groupObjects(inputs, folder)).map((one) => one.kind)
      expect(kinds).toEqual(['Pod', 'Service', 'Secret'])
      await expect(groupObjects({ files: 'none/*.yaml' }, folder)).rejects.toThrow(
        /no file matches/,
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
