import { createHmac, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { CompactEncrypt, GeneralSign, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '#core/clock'
import { issueAccessToken } from './access-token.ts'
import {
  loadSigningKeys,
  makeSigningKey,
  type SigningKey,
  type SigningKeys,
} from './signing-keys.ts'
import { VerifiedTokens } from './verified-tokens.ts'
import { TokenVerifier } from './verify-token.ts'

const NOW = '2026-11-21T10:00:00.000Z'
const now = Date.parse(NOW) / 1000
const names = { issuer: 'https://api.test', audience: 'palisade' }
const subject = {
  userId: randomUUID(),
  tenantId: randomUUID(),
  role: 'user',
  tokenVersion: 3,
} as const
const claims = {
  iss: names.issuer,
  aud: names.audience,
  sub: subject.userId,
  tid: subject.tenantId,
  role: 'user',
  ver: 3,
  jti: randomUUID(),
  iat: now,
  exp: now + 900,
}

let keys: SigningKeys
let key: SigningKey
beforeAll(async () => {
  keys = loadSigningKeys([await makeSigningKey(new Date('2026-01-01'))], new Date(NOW))
  key = keys.current
})

const verifier = (at = NOW) => new TokenVerifier(keys, names, fixedClock(at))
const b64 = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signed by the right key, whatever header and payload say: only the rule under test refuses it. */
function forge(header: object, payload: object | string = claims): string {
  const text = `${b64({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header })}.${b64(payload)}`
  const signature = sign('sha256', Buffer.from(text), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${text}.${signature.toString('base64url')}`
}

const refused = (token: string, at = NOW) =>
  expect(verifier(at).verify(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })

describe('TokenVerifier', () => {
  it('accepts what issueAccessToken makes and reads its claims', async () => {
    const token = await issueAccessToken(subject, keys, names, fixedClock(NOW))
    const read = await verifier().verify(token)
    expect(read).toMatchObject({ userId: subject.userId, role: 'user', tokenVersion: 3 })
    expect(read.expiresAt - read.issuedAt).toBe(900)
  })

  it('accepts a forged token of this test when nothing in it is wrong', async () => {
    await expect(verifier().verify(forge({}))).resolves.toMatchObject({ tokenVersion: 3 })
  })

  it.each(['none', 'None', 'NONE', 'nOnE', ''])(
    'refuses alg "%s" without a signature',
    async (alg) => {
      await refused(`${b64({ alg, typ: 'at+jwt', kid: key.kid })}.${b64(claims)}.`)
      await refused(forge({ alg }))
    },
  )

  it('refuses HS256 keyed with the public key in each encoding', async () => {
    const encodings = [
      key.publicKey.export({ type: 'spki', format: 'pem' }),
      key.publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(key.publicJwk),
    ]
    for (const secret of encodings) {
      const text = `${b64({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${b64(claims)}`
      const mac = createHmac('sha256', secret).update(text).digest('base64url')
      await refused(`${text}.${mac}`)
    }
  })

  it.each(['ES384', 'RS256', 'PS256', 'EdDSA', 'es256'])('refuses alg %s', async (alg) => {
    await refused(forge({ alg }))
  })

  it.each([
    '../../../../dev/null',
    '/dev/null',
    "' or 1=1 --",
    'k'.repeat(10_240),
    'https://attacker.test/key',
    '__proto__',
    '',
  ])('refuses the kid %s without looking anywhere', async (kid) => {
    await refused(forge({ kid }))
  })

  it.each([{ kid: undefined }, { kid: 7 }, { kid: null }, { kid: ['a'] }])(
    'refuses a kid that is no text: %o',
    async (header) => {
      await refused(forge(header))
    },
  )

  it.each([
    { jku: 'https://attacker.test/jwks' },
    { x5u: 'https://attacker.test/cert' },
    { x5c: ['MIIB'] },
    { crit: ['exp'] },
    { crit: [] },
    { b64: false },
    { b64: false, crit: ['b64'] },
    { zip: 'DEF' },
    { cty: 'JWT' },
  ])('refuses the header parameter %o', async (header) => {
    await refused(forge(header))
  })

  it('refuses an embedded key, even with a signature by that key', async () => {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = own.publicKey.export({ format: 'jwk' })
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, jwk })
      .sign(own.privateKey)
    await refused(token)
  })

  it('refuses a good header and payload signed by another key', async () => {
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
      .sign(own.privateKey)
    await refused(token)
  })

  it.each(['JWT', 'at+JWT', 'application/at+jwt', 'id+jwt', undefined, 5])(
    'refuses typ %s: an ID token is no access token',
    async (typ) => {
      await refused(forge({ typ }))
    },
  )

  it.each([
    ['exp missing', { exp: undefined }],
    ['exp as text', { exp: String(now + 900) }],
    ['exp past', { iat: now - 1000, exp: now - 100 }],
    ['exp of this very second', { iat: now - 900, exp: now }],
    ['exp later than 15 minutes after iat', { exp: now + 901 }],
    ['exp infinite', { exp: Number.MAX_VALUE }],
    ['nbf ahead', { nbf: now + 120 }],
    ['iat ahead', { iat: now + 120, exp: now + 900 }],
    ['iat missing', { iat: undefined }],
    ['another issuer', { iss: 'https://other.test' }],
    ['another audience', { aud: 'other' }],
    ['a list of audiences', { aud: ['palisade', 'other'] }],
    ['aud missing', { aud: undefined }],
    ['sub missing', { sub: undefined }],
    ['sub that is no uuid', { sub: 'admin' }],
    ['an unknown role', { role: 'root' }],
    ['a negative token version', { ver: -1 }],
    ['a token version as text', { ver: '3' }],
    ['a token version beyond its column', { ver: 2_147_483_648 }],
    ['jti missing', { jti: undefined }],
  ])('refuses %s', async (_, wrong) => {
    await refused(forge({}, { ...claims, ...wrong }))
  })

  it.each(['[]', 'null', '"text"', '{', ''])('refuses the payload %s', async (payload) => {
    await refused(forge({}, payload))
  })

  it('refuses JSON serialisation, encryption and PBES2 of minutes at once, computing no key', async () => {
    const general = await new GeneralSign(Buffer.from(JSON.stringify(claims)))
      .addSignature(key.privateKey)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
      .sign()
    const encrypted = await new CompactEncrypt(Buffer.from('x'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(new Uint8Array(32))
    const costly = `${b64({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2e9, p2s: 'aa' })}.a.b.c.d`
    for (const token of [JSON.stringify(general), encrypted, costly]) {
      const before = performance.now()
      await refused(token)
      expect(performance.now() - before).toBeLessThan(1_000)
    }
  })

  it.each([
    ['64 kB', 'a'.repeat(65_536)],
    ['64 kB in three parts', `${'a'.repeat(30_000)}.${'a'.repeat(30_000)}.aaaa`],
    ['nothing', ''],
    ['two parts', 'a.b'],
    ['four parts', 'a.b.c.d'],
    ['standard base64', 'ab+/.ab==.cd'],
    ['blanks', ' a.b.c '],
  ])('refuses %s', async (_, token) => {
    await refused(token)
  })

  it('refuses any change of a single character of the signature part', async () => {
    const token = forge({})
    const start = token.lastIndexOf('.') + 1
    for (let i = start; i < token.length - 1; i += 7) {
      const other = token[i] === 'A' ? 'B' : 'A'
      await refused(token.slice(0, i) + other + token.slice(i + 1))
    }
  })
})

const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
const scalar = (hex: string) => hex.padStart(64, '0')
const plus = (hex: string, n: number) => scalar((BigInt(`0x${hex}`) + BigInt(n)).toString(16))

describe('TokenVerifier on signatures that arithmetic alone could accept', () => {
  const [ZERO, ONE, MAX] = [scalar('0'), scalar('1'), 'f'.repeat(64)]
  it.each([
    ['r and s zero', ZERO + ZERO],
    ['r zero', ZERO + ONE],
    ['s zero', ONE + ZERO],
    ['r and s one', ONE + ONE],
    ['r the order', ORDER + ONE],
    ['s the order', ONE + ORDER],
    ['r and s the order', ORDER + ORDER],
    ['r beyond the order', plus(ORDER, 1) + ONE],
    ['s below the order', ONE + plus(ORDER, -1)],
    ['all bits set', MAX + MAX],
    ['nothing', ''],
    ['r alone', ONE],
    ['a byte too much', `${ONE}${ONE}00`],
    ['a byte too little', (ONE + ONE).slice(2)],
  ])('refuses %s', async (_, hex) => {
    const [header, payload] = forge({}).split('.')
    await refused(`${header}.${payload}.${Buffer.from(hex, 'hex').toString('base64url')}`)
  })

  it('refuses a good signature in DER, and one moved by the order', async () => {
    const [header = '', payload = '', signature = ''] = forge({}).split('.')
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), { key: key.privateKey })
    await refused(`${header}.${payload}.${der.toString('base64url')}`)
    const hex = Buffer.from(signature, 'base64url').toString('hex')
    const moved = (BigInt(`0x${hex.slice(64)}`) + BigInt(`0x${ORDER}`)).toString(16)
    await refused(
      `${header}.${payload}.${Buffer.from(hex.slice(0, 64) + moved.padStart(66, '0'), 'hex').toString('base64url')}`,
    )
  })
})

describe('TokenVerifier with remembered tokens', () => {
  it('refuses a remembered token from the second on at which it ends', async () => {
    let at = new Date(NOW)
    const moving = new TokenVerifier(keys, names, { now: () => at })
    const token = forge({})
    await moving.verify(token)
    at = new Date((now + 899) * 1000)
    await expect(moving.verify(token)).resolves.toBeTruthy()
    at = new Date((now + 900) * 1000)
    await expect(moving.verify(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
  })

  it('does not answer for a token that shares header and payload with a remembered one', async () => {
    const one = verifier()
    const token = forge({})
    await one.verify(token)
    const [header, payload] = token.split('.')
    const other = `${header}.${payload}.${'A'.repeat(86)}`
    expect(one.recall(other)).toBeUndefined()
    await expect(one.verify(other)).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
  })

  it('refuses a remembered token once its key is gone', async () => {
    const own = loadSigningKeys([await makeSigningKey(new Date('2026-01-01'))], new Date(NOW))
    const one = new TokenVerifier(own, names, fixedClock(NOW))
    const token = await issueAccessToken(subject, own, names, fixedClock(NOW))
    const kept = await one.verify(token)
    expect(one.stillGood(kept)).toBe(true)
    own.replaceWith(keys)
    expect(one.stillGood(kept)).toBe(false)
    await expect(one.verify(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
  })

  it('keeps at most as many tokens as it was told to', async () => {
    const memory = new VerifiedTokens(3)
    const one = new TokenVerifier(keys, names, fixedClock(NOW), memory)
    for (let i = 0; i < 6; i++) await one.verify(forge({}, { ...claims, jti: randomUUID() }))
    expect(memory.size).toBe(3)
  })
})

describe('loadSigningKeys', () => {
  it('publishes a new key at once and signs with it only after ten minutes', async () => {
    const old = await makeSigningKey(new Date('2026-11-20T10:00:00Z'))
    const fresh = await makeSigningKey(new Date(NOW))
    const before = loadSigningKeys([fresh, old], new Date('2026-11-21T10:09:59Z'))
    expect(before.current.kid).toBe(old.kid)
    expect(before.jwks().keys).toHaveLength(2)
    const after = loadSigningKeys([fresh, old], new Date('2026-11-21T10:10:00Z'))
    expect(after.current.kid).toBe(fresh.kid)
    expect(after.find(old.kid)).toBeDefined()
  })

  it('puts no private part into the key set', () => {
    expect(JSON.stringify(keys.jwks())).not.toContain('"d"')
  })

  it('refuses a key of another curve', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const privateJwk = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export(
      {
        format: 'jwk',
      },
    )
    const stored = [{ kid: 'k', privateJwk: privateJwk as never, createdAt: NOW }]
    expect(() => loadSigningKeys(stored, new Date(NOW))).toThrow('ERR_CONFIG_INVALID')
  })
})
