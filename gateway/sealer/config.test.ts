import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSealerConfig } from './config.ts'

let mounts: string
beforeAll(async () => {
  mounts = await mkdtemp(join(tmpdir(), 'palisade-sealer-config-'))
  await mkdir(join(mounts, 'tls'))
  for (const name of ['ca.crt', 'tls.crt', 'tls.key'])
    await writeFile(join(mounts, 'tls', name), '')
})
afterAll(() => rm(mounts, { recursive: true }))

const read = (over: Readonly<Record<string, string>>) =>
  readSealerConfig({
    PALISADE_CLUSTER_ID: 'local',
    PALISADE_VAULT_ADDR: 'https://openbao.palisade-vault.svc:8200',
    PALISADE_TLS_DIR: join(mounts, 'tls'),
    PALISADE_MOUNTS: mounts,
    ...over,
  })

const BUCKET = {
  PALISADE_OBJECT_STORE_ENDPOINT: 'https://s3.example.net:9000',
  PALISADE_OBJECT_STORE_BUCKET: 'audit',
  PALISADE_OBJECT_STORE_REGION: 'eu-central-1',
}

describe('readSealerConfig', () => {
  it('has no object store when none is named', async () => {
    expect((await read({})).objectStore).toBeUndefined()
  })

  it('starts with an object store whose credential is not there yet, and tells where it is missed', async () => {
    const { objectStore } = await read(BUCKET)
    await expect(objectStore?.get('x')).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      detail: expect.stringContaining(`${mounts}/object-store holds no access-key-id`),
    })
  })

  it.each([
    ['no bucket', { ...BUCKET, PALISADE_OBJECT_STORE_BUCKET: '' }],
    ['no region', { ...BUCKET, PALISADE_OBJECT_STORE_REGION: '' }],
    ['no TLS', { ...BUCKET, PALISADE_OBJECT_STORE_ENDPOINT: 'http://s3.example.net' }],
    ['a path', { ...BUCKET, PALISADE_OBJECT_STORE_ENDPOINT: 'https://s3.example.net/audit' }],
  ])('refuses an object store with %s', async (_, over) => {
    await expect(read(over)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })
})
