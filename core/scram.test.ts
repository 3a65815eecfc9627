import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { scramSha256Keys, scramSha256Verifier } from './scram.ts'

describe('scramSha256Keys', () => {
  // RFC 7677 3: user "user", password "pencil".
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const authMessage =
    'n=user,r=rOprNGfwEbeRWgbNEkqO,' +
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,' +
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const clientProof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
  const serverSignature = '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='
  const keys = scramSha256Keys('pencil', { salt, iterations: 4096 })

  it('accepts the client proof of RFC 7677 3', () => {
    const signature = createHmac('sha256', keys.storedKey).update(authMessage).digest()
    const clientKey = Buffer.from(clientProof.map((byte, i) => byte ^ (signature[i] ?? 0)))
    expect(createHash('sha256').update(clientKey).digest()).toEqual(keys.storedKey)
  })

  it('signs as the server of RFC 7677 3', () => {
    const signature = createHmac('sha256', keys.serverKey).update(authMessage).digest('base64')
    expect(signature).toBe(serverSignature)
  })

  it('refuses a password that SASLprep might change, without repeating it', () => {
    expect(() => scramSha256Keys('pa\u00dfwort', { salt })).toThrow(
      /^a SCRAM password must be printable ASCII$/,
    )
    expect(() => scramSha256Keys('', { salt })).toThrow('printable ASCII')
  })
})

describe('scramSha256Verifier', () => {
  it("has PostgreSQL's form and holds nothing of the password", () => {
    const verifier = scramSha256Verifier('pencil', { salt: Buffer.alloc(16, 7) })
    expect(verifier).toMatch(
      /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/,
    )
    expect(verifier).not.toContain('pencil')
  })
})
