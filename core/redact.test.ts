import { describe, expect, it } from 'vitest'
import { redact, redactText } from './redact.ts'
import { scramSha256Verifier } from './scram.ts'
import { Sealed } from './sealed.ts'

const CANARY = 'Zm9vYmFyYmF6cXV4cXV1eA'

describe('redactText', () => {
  it.each([
    ['a JWT', `token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.${CANARY}`],
    ['a bearer header', `authorization: Bearer ${CANARY}`],
    ['a password in a URI', `connect postgres://app_a:${CANARY}@db:5432/shop failed`],
    ['a Vault token', `X-Vault-Token s.${CANARY}${CANARY}`],
    ['a SCRAM verifier', scramSha256Verifier(CANARY, { salt: Buffer.from(CANARY) })],
    ['a PEM key', `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`],
    ['an ALTER ROLE statement', `statement: ALTER ROLE app_a PASSWORD '${CANARY}'`],
    ['a Stripe-like key', `sk_test_${CANARY}`],
  ])('cuts %s', (_, text) => {
    expect(redactText(text)).not.toContain(CANARY)
    expect(redactText(text)).toContain('[redacted]')
  })

  it('keeps what helps to find the cause', () => {
    expect(redactText(`postgres://app_a:${CANARY}@db:5432/shop`)).toBe(
      'postgres://app_a:[redacted]@db:5432/shop',
    )
    expect(redactText('rotation shop/orders-db at step Publish, seq 42')).toBe(
      'rotation shop/orders-db at step Publish, seq 42',
    )
  })
})

describe('redact', () => {
  it.each([
    'password',
    'newPassword',
    'client_secret',
    'accessToken',
    'authorization',
    'set-cookie',
    'apiKey',
    'api-key',
    'privateKey',
    'verifier',
    'plaintext',
  ])('cuts a member called %s at any depth, and no other', (name) => {
    const safe = redact({ a: [{ [name]: { deep: CANARY }, b: 'orders-db' }] })
    expect(safe).toEqual({ a: [{ [name]: '[redacted]', b: 'orders-db' }] })
  })

  it('keeps names, codes and versions', () => {
    const harmless = { code: 'ERR_FORBIDDEN', statusCode: 403, secretName: 'orders-db', version: 4 }
    expect(redact(harmless)).toEqual(harmless)
  })

  it('walks errors with their causes, bytes, dates, sealed values and cycles', () => {
    const loop: Record<string, unknown> = { at: new Date(0), key: Buffer.from(CANARY) }
    loop['self'] = loop
    loop['sealed'] = Sealed.of(CANARY)
    loop['error'] = new Error('no', {
      cause: new Error(`statement: ALTER ROLE a PASSWORD '${CANARY}'`),
    })
    const text = JSON.stringify(redact(loop))
    expect(text).not.toContain(CANARY)
    expect(text).toContain('[circular]')
    expect(text).toContain('[22 bytes]')
    expect(text).toContain("ALTER ROLE a PASSWORD '[redacted]'")
  })
})
