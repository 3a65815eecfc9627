import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fixedClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import { KeyFileWrapper } from '../keys/key-file-wrapper.ts'
import { DataKeys } from './data-keys.ts'
import { openValue, sealValue, type EnvelopeContext } from './envelope.ts'

const clock = fixedClock('2026-11-21T10:00:00Z')
const wrapper = new KeyFileWrapper(Sealed.of(randomBytes(32)))
const keys = () => new DataKeys(wrapper, { clock })
const context = (over: Partial<EnvelopeContext> = {}): EnvelopeContext => ({
  tenantId: '11111111-1111-4111-8111-111111111111',
  secretId: '22222222-2222-4222-8222-222222222222',
  version: 3,
  purpose: 'secret-value',
  ...over,
})
const unreadable = { code: 'ERR_SECRET_UNREADABLE' }
const flip = (bytes: Uint8Array, at: number) => {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

describe('openValue', () => {
  it('gives back what sealValue took, empty and long', async () => {
    for (const text of ['', 'x', 'ü€😀'.repeat(5000)]) {
      const sealed = await sealValue(Buffer.from(text), context(), keys())
      const opened = await openValue(sealed, context(), keys())
      expect(opened.toString()).toBe(text)
    }
  })

  it.each([
    ['another secret', { secretId: randomUUID() }],
    ['another version', { version: 2 }],
  ])('refuses a row that was moved to %s', async (_, over) => {
    const sealed = await sealValue(Buffer.from('v'), context(), keys())
    const moved = { ...sealed, version: context(over).version }
    await expect(openValue(moved, context(over), keys())).rejects.toMatchObject(unreadable)
  })

  it('refuses a row that was moved to another tenant', async () => {
    const sealed = await sealValue(Buffer.from('v'), context(), keys())
    const over = context({ tenantId: randomUUID() })
    await expect(openValue(sealed, over, keys())).rejects.toMatchObject(unreadable)
  })

  it('refuses ciphertext, nonce or wrapped key taken from another version of the same secret', async () => {
    const three = await sealValue(Buffer.from('three'), context(), keys())
    const two = await sealValue(Buffer.from('two'), context({ version: 2 }), keys())
    for (const part of ['ciphertext', 'nonce', 'wrappedKey'] as const) {
      const mixed = { ...three, [part]: two[part] }
      await expect(openValue(mixed, context(), keys())).rejects.toMatchObject(unreadable)
    }
    const whole = { ...two, version: 3 }
    await expect(openValue(whole, context(), keys())).rejects.toMatchObject(unreadable)
  })

  it('refuses each changed byte of ciphertext and tag, and a ciphertext cut short', async () => {
    const sealed = await sealValue(Buffer.from('value'), context(), keys())
    for (let at = 0; at < sealed.ciphertext.length; at++) {
      const changed = { ...sealed, ciphertext: flip(sealed.ciphertext, at) }
      await expect(openValue(changed, context(), keys())).rejects.toMatchObject(unreadable)
    }
    const cut = { ...sealed, ciphertext: sealed.ciphertext.subarray(0, 8) }
    await expect(openValue(cut, context(), keys())).rejects.toMatchObject(unreadable)
  })

  it('refuses a format it does not know', async () => {
    const sealed = await sealValue(Buffer.from('value'), context(), keys())
    const other = openValue({ ...sealed, format: 2 }, context(), keys())
    await expect(other).rejects.toMatchObject(unreadable)
  })
})

describe('sealValue', () => {
  it('uses a key, a nonce and a wrap of its own for each version', async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, () => sealValue(Buffer.from('same'), context(), keys())),
    )
    for (const part of ['wrappedKey', 'nonce', 'ciphertext'] as const) {
      expect(new Set(all.map((one) => String(one[part]))).size).toBe(50)
    }
  })
})

describe('DataKeys', () => {
  const sources: string[] = []
  const at = { now: () => new Date(time) }
  let time = Date.parse('2026-11-21T10:00:00Z')
  const open = async (data: DataKeys, tenantId: string, wrapped: string) => {
    sources.length = 0
    await data.unwrap(tenantId, wrapped)
    return sources.join()
  }
  const made = (capacity = 10) =>
    new DataKeys(wrapper, { clock: at, capacity, onUnwrap: (source) => sources.push(source) })

  it('asks the wrapper again after five minutes', async () => {
    const data = made()
    const { tenantId } = context()
    const wrapped = await data.wrap(tenantId, randomBytes(64))
    expect(await open(data, tenantId, wrapped)).toBe('wrapper')
    time += 299_000
    expect(await open(data, tenantId, wrapped)).toBe('cache')
    time += 1_000
    expect(await open(data, tenantId, wrapped)).toBe('wrapper')
  })

  it('drops the keys of one tenant at once and keeps those of others', async () => {
    const data = made()
    const [a, b] = [randomUUID(), randomUUID()]
    const wrapped = {
      a: await data.wrap(a, randomBytes(64)),
      b: await data.wrap(b, randomBytes(64)),
    }
    await data.unwrap(a, wrapped.a)
    await data.unwrap(b, wrapped.b)
    data.forgetTenant(a)
    expect(await open(data, a, wrapped.a)).toBe('wrapper')
    expect(await open(data, b, wrapped.b)).toBe('cache')
  })

  it('holds no more keys than its capacity', async () => {
    const data = made(5)
    for (let i = 0; i < 12; i++) {
      await data.unwrap('t', await data.wrap('t', randomBytes(64)))
    }
    expect(data.size).toBe(5)
  })
})
