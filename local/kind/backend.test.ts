import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseStackConfig } from '../../infra/config/parse.ts'
import { IMAGE_NAMES } from '../../infra/config/schema.ts'
import { bareBackend } from '../bare/bare-backend.ts'
import { layoutOf } from '../bare/layout.ts'
import { imageConfig } from '../platform.ts'
import { KUBERNETES_VERSION } from '../tools/table.ts'
import { clusterConfig, deleteKind, kindBackend, NODE_IMAGE } from './backend.ts'

const file = join(import.meta.dirname, '..', '..', 'Pulumi.local.yaml')
const committed = (parse(readFileSync(file, 'utf8')) as { config: Record<string, unknown> }).config
const images = imageConfig(Object.fromEntries(IMAGE_NAMES.map((name) => [name, `${name}:1`])))
const layout = layoutOf('/state')

describe('stackConfig of a backend', () => {
  it.each([bareBackend(layout), kindBackend(layout)])(
    'is accepted by the program on $name',
    (backend) => {
      const all = Object.entries({ ...committed, ...backend.stackConfig, ...images })
      const config = parseStackConfig(
        Object.fromEntries(all.map(([key, value]) => [key.replace('palisade:', ''), value])),
      )
      expect(config.cluster.podCidrs).toEqual([backend.podCidr])
    },
  )

  it('expects a PROXY header from our relay alone', () => {
    expect(kindBackend(layout).stackConfig).toHaveProperty(
      ['palisade:edge', 'proxyProtocol'],
      false,
    )
    expect(committed).toHaveProperty(['palisade:edge', 'proxyProtocol'], true)
  })
})

describe('clusterConfig', () => {
  it('runs the Kubernetes of the bare backend, by digest', () => {
    const { nodes } = JSON.parse(clusterConfig(NODE_IMAGE)) as { nodes: { image: string }[] }
    const [, minor] = KUBERNETES_VERSION.split('.')
    expect(nodes.map(({ image }) => image)).toEqual([NODE_IMAGE])
    expect(NODE_IMAGE).toMatch(new RegExp(`:v1\\.${minor}\\.\\d+@sha256:[0-9a-f]{64}$`))
  })

  it.each([
    'kindest/node:v1.34.0',
    'kindest/node@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a',
    'kindest/node:v1.34.0@sha256:7416',
  ])('refuses %s, which lacks a tag or a whole digest', (image) => {
    expect(() => clusterConfig(image)).toThrow(
      expect.objectContaining({ code: 'ERR_IMAGE_UNPINNED' }),
    )
  })
})

describe('isThere', () => {
  const path = process.env.PATH
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'palisade-kind-'))
    process.env.PATH = `${folder}:${path}`
  })
  afterEach(() => {
    process.env.PATH = path
    rmSync(folder, { recursive: true })
  })

  it.each([
    ['other palisade', true],
    ['other', false],
  ])(
    'among the clusters "%s" of kind is %s, so that its own ports count as free',
    async (names, there) => {
      const script = `#!/bin/sh\nprintf '%s\\n' ${names}\n`
      writeFileSync(join(folder, 'kind'), script, { mode: 0o755 })
      expect(await kindBackend(layout).isThere()).toBe(there)
    },
  )
})

describe('on a machine with Docker and without kind', () => {
  const path = process.env.PATH
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'palisade-docker-'))
    writeFileSync(join(folder, 'docker'), '#!/bin/sh\n', { mode: 0o755 })
    process.env.PATH = folder
  })
  afterEach(() => {
    process.env.PATH = path
    rmSync(folder, { recursive: true })
  })

  it('down has nothing of kind to remove', async () => {
    expect(await deleteKind(layout)).toBe('was not running')
  })

  it('up says how to get it and how to do without', async () => {
    const context = { note: () => {}, signal: new AbortController().signal }
    const started = kindBackend(layoutOf(folder)).startControlPlane(context)
    await expect(started).rejects.toMatchObject({
      code: 'ERR_KIND_MISSING',
      remedy: expect.stringContaining('PALISADE_BACKEND=bare'),
    })
  })
})
