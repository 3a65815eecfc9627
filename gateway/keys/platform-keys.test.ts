import { expect, it, vi } from 'vitest'
import { systemClock } from '#core/clock'
import { reloadSigningKeys } from './platform-keys.ts'

it.each([
  ['no JSON', { keys: '[' }],
  ['a key of another kind', { keys: '[{"kid":"x","privateJwk":{"kty":"RSA"},"createdAt":""}]' }],
])('stays with the loaded signing keys and says so when it reads %s', async (_, value) => {
  const onFailure = vi.fn()
  const kv = { read: async () => value }
  expect(await reloadSigningKeys(kv, systemClock, onFailure)).toBeUndefined()
  expect(onFailure).toHaveBeenCalledOnce()
})
