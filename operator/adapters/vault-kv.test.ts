import { describe, expect, it } from 'vitest'
import type { VaultClient } from './vault-client.ts'
import { VaultKv } from './vault-kv.ts'

const { signal } = new AbortController()

/** A store that gives every call the same answer. */
const answering = (status: number, body: unknown = {}) =>
  new VaultKv({ call: () => Promise.resolve({ status, body }) } as unknown as VaultClient, 'apps')

const CALLS = {
  read: (kv: VaultKv) => kv.read('role', 'shop/db', signal),
  list: (kv: VaultKv) => kv.list('role', 'shop/', signal),
  write: (kv: VaultKv) => kv.write('role', 'shop/db', {}, 1, signal),
  destroy: (kv: VaultKv) => kv.destroy('role', 'shop/db', 1, signal),
  keepAtMost: (kv: VaultKv) => kv.keepAtMost('role', 'shop/db', 2, signal),
}

describe('VaultKv', () => {
  it.each(
    Object.entries(CALLS).flatMap(([name, call]) =>
      [307, 400, 403, 429].map((status) => [name, status, call] as const),
    ),
  )('%s throws ERR_STORE_REFUSED when the store answers %i', async (_, status, call) => {
    await expect(call(answering(status))).rejects.toMatchObject({ code: 'ERR_STORE_REFUSED' })
  })

  it.each(['write', 'destroy', 'keepAtMost'] as const)(
    '%s throws when there is nothing at that place',
    async (name) => {
      await expect(CALLS[name](answering(404))).rejects.toMatchObject({
        code: 'ERR_STORE_REFUSED',
        message: expect.stringContaining('apps/shop/db') as string,
      })
    },
  )

  it('reads and lists nothing where nothing is', async () => {
    expect(await CALLS.read(answering(404))).toBeUndefined()
    expect(await CALLS.list(answering(404))).toEqual([])
  })

  it('calls a write on another number stale, and does not throw', async () => {
    const errors = ['check-and-set parameter did not match the current version']
    expect(await CALLS.write(answering(400, { errors }))).toEqual({ kind: 'stale' })
  })

  it('keeps as many versions as it is told, which OpenBao answers without content', async () => {
    await expect(CALLS.keepAtMost(answering(204))).resolves.toBeUndefined()
  })
})
