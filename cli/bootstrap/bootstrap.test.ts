import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeRedisUsers, renderAcl } from './redis-users.ts'
import { makeSealKey } from './seal-key.ts'
import type { Secrets } from './secrets.ts'

/** The API server's rule for Secrets, in memory: the first creation wins. */
const memory = (failAfterCreations = Number.POSITIVE_INFINITY) => {
  const kept = new Map<string, Readonly<Record<string, Buffer>>>()
  let creations = 0
  const secrets: Secrets = {
    async create({ namespace, name }, data) {
      if (creations >= failAfterCreations) throw new Error('killed')
      creations += 1
      const key = `${namespace}/${name}`
      if (kept.has(key)) return 'exists'
      kept.set(key, data)
      return 'created'
    },
    async read({ namespace, name }) {
      return kept.get(`${namespace}/${name}`) ?? {}
    },
    async replace({ namespace, name }, data) {
      kept.set(`${namespace}/${name}`, data)
    },
  }
  return { kept, secrets }
}

describe('makeSealKey', () => {
  it('makes 32 random bytes and keeps them when it runs again', async () => {
    const { kept, secrets } = memory()
    expect(await makeSealKey(secrets)).toBe('created')
    const first = kept.get('palisade-vault/openbao-seal-key')?.['key']
    expect(first).toHaveLength(32)
    expect(await makeSealKey(secrets)).toBe('exists')
    expect(kept.get('palisade-vault/openbao-seal-key')?.['key']).toEqual(first)
  })

  it('refuses a damaged key and leaves it where it is', async () => {
    const { kept, secrets } = memory()
    kept.set('palisade-vault/openbao-seal-key', { key: Buffer.from('short') })
    await expect(makeSealKey(secrets)).rejects.toThrow('ERR_SEAL_KEY_DAMAGED')
    expect(kept.get('palisade-vault/openbao-seal-key')?.['key']?.toString()).toBe('short')
  })
})

describe('makeRedisUsers', () => {
  it('gives the server a digest and the gateway the password', async () => {
    const { kept, secrets } = memory()
    await makeRedisUsers(secrets)
    const password = kept.get('palisade-system/gateway-redis')?.['password']?.toString() ?? ''
    const acl = kept.get('palisade-data/redis-acl')?.['users.acl']?.toString() ?? ''
    expect(acl).toContain(`#${createHash('sha256').update(password).digest('hex')} `)
    expect(acl).not.toContain(password)
  })

  it('completes a run that was killed between the two Secrets', async () => {
    const first = memory(1)
    await expect(makeRedisUsers(first.secrets)).rejects.toThrow('killed')
    const second = memory()
    for (const [key, value] of first.kept) second.kept.set(key, value)
    await makeRedisUsers(second.secrets)
    const password = first.kept.get('palisade-system/gateway-redis')?.['password']?.toString() ?? ''
    expect(second.kept.get('palisade-data/redis-acl')?.['users.acl']?.toString()).toBe(
      renderAcl(password),
    )
  })
})

describe('renderAcl', () => {
  it('switches the user without a name off and keeps administration from the others', () => {
    const [nobody, gateway] = renderAcl('x').split('\n')
    expect(nobody).toMatch(/^user default off .* -@all$/)
    expect(gateway).toMatch(/ -@admin -@dangerous \+info$/)
  })
})
