import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRotationWorld, type RotationWorld } from '../../test/support/rotation-world.ts'
import { observed } from '../secret-rotation/testkit/observed.ts'
import { VaultClient } from './vault-client.ts'
import { VaultKv } from './vault-kv.ts'
import { createStateStore } from './vault-stores.ts'

const signal = AbortSignal.timeout(60_000)
const key = { namespace: 'shop', name: 'orders' }
let world: RotationWorld
let vault: VaultClient

beforeAll(async () => {
  world = await startRotationWorld()
  vault = new VaultClient({
    address: world.bao.address,
    ca: world.bao.ca,
    authMount: 'kubernetes',
    tokenFile: world.files.vaultToken,
  })
})
afterAll(async () => {
  await vault?.close()
  await world?.stop()
})

describe('the store of records', () => {
  it('keeps a record with 2,000 undelivered audit entries', async () => {
    const states = createStateStore(new VaultKv(vault, 'palisade-state'), 'c')
    const entry = {
      action: 'rotation.begin' as const,
      rotationId: 'rotation',
      at: '2026-11-21T12:00:00Z',
      details: { reason: 'Requested', version: 1, role: 'shop_a' },
    }
    const outbox = Array.from({ length: 2_000 }, (_, seq) => ({ ...entry, seq }))
    const record = { ...observed().state.value, outbox }
    expect(await states.write(key, record, 0, signal)).toEqual({ kind: 'written', cas: 1 })
    expect(await states.read(key, signal)).toEqual({ value: record, cas: 1 })
  })

  it('answers stale to a write on a number that is not the newest', async () => {
    const states = createStateStore(new VaultKv(vault, 'palisade-state'), 'c')
    const record = observed().state.value
    expect(await states.write(key, record, 0, signal)).toEqual({ kind: 'stale' })
  })

  it('says that the store refused a login, and not with which token', async () => {
    const file = join(tmpdir(), `palisade-token-${process.pid}`)
    await writeFile(file, await world.api.token('palisade-system', 'stranger'))
    const stranger = new VaultClient({
      address: world.bao.address,
      ca: world.bao.ca,
      authMount: 'kubernetes',
      tokenFile: file,
    })
    const reading = new VaultKv(stranger, 'palisade-state').read('palisade-operator', 'x', signal)
    await expect(reading).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
    await stranger.close()
  })
})
