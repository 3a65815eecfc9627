import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Sealed } from '#core/sealed'
import { SecretHeads } from './secret-heads.ts'

const macKey = (id: string) => ({ id, key: Sealed.of<Uint8Array>(randomBytes(32)) })
const tenant = randomUUID()
const state = { secretId: randomUUID(), name: 'db', currentVersion: 4, deleted: false }
const rolledBack = expect.objectContaining({ code: 'ERR_SECRET_ROLLED_BACK' }) as Error

describe('SecretHeads', () => {
  const heads = new SecretHeads([macKey('one')])
  const head = heads.sign(tenant, state)

  it('accepts the head that it signed', () => {
    expect(() => heads.check(tenant, head)).not.toThrow()
  })

  it.each([
    ['an older version', { currentVersion: 3 }],
    ['a deletion taken back', { deleted: true }],
    ['another secret', { secretId: randomUUID() }],
    ['another name', { name: 'other' }],
    ['an unknown key', { keyId: 'nope' }],
    ['a short MAC', { mac: head.mac.subarray(0, 16) }],
    ['an empty MAC', { mac: Buffer.alloc(0) }],
  ])('refuses a head with %s', (_, change) => {
    expect(() => heads.check(tenant, { ...head, ...change })).toThrow(rolledBack)
  })

  it('refuses a head of another tenant', () => {
    expect(() => heads.check(randomUUID(), head)).toThrow(rolledBack)
  })

  it('verifies by an older key and signs by the newest', () => {
    const [old, fresh] = [macKey('old'), macKey('fresh')]
    const signedByOld = new SecretHeads([old]).sign(tenant, state)
    const both = new SecretHeads([old, fresh])
    expect(() => both.check(tenant, signedByOld)).not.toThrow()
    expect(both.sign(tenant, state).keyId).toBe('fresh')
  })

  it('gives a digest of a request that another key does not give', () => {
    const body = { name: 'db', value: 'weak' }
    const other = new SecretHeads([macKey('two')])
    expect(heads.digestRequest(body)).toEqual(heads.digestRequest({ ...body }))
    expect(heads.digestRequest(body)).not.toEqual(other.digestRequest(body))
  })
})
