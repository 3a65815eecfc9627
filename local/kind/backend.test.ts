import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseStackConfig } from '../../infra/config/parse.ts'
import { IMAGE_NAMES } from '../../infra/config/schema.ts'
import { bareBackend } from '../bare/bare-backend.ts'
import { layoutOf } from '../bare/layout.ts'
import { imageConfig } from '../platform.ts'
import { kindBackend } from './backend.ts'

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
