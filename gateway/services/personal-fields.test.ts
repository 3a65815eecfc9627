import { createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { PersonalEnvelope } from '#api/audit-event'
import { canonicalJson } from '#core/canonical-json'
import { fixedClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import { KeyFileWrapper } from '../keys/key-file-wrapper.ts'
import { PersonalFields } from './personal-fields.ts'

const clock = fixedClock('2026-11-21T10:00:00Z')
const wrapper = new KeyFileWrapper(Sealed.of(randomBytes(32)))

/** What an auditor with the right to the person's key does. */
async function open(envelope: PersonalEnvelope, recordId: string): Promise<unknown> {
  const key = await wrapper.unwrap(envelope.key, envelope.wrappedKey)
  const aad = canonicalJson({ format: 1, id: recordId, key: envelope.key })
  const bytes = Buffer.from(envelope.ciphertext, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(envelope.nonce, 'base64url'))
  decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(-16))
  const text = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()])
  return JSON.parse(text.toString()) as unknown
}

describe('PersonalFields', () => {
  it('gives the fields back to whoever may use the key of the person', async () => {
    const [user, record] = [randomUUID(), randomUUID()]
    const envelope = await new PersonalFields(wrapper, clock).seal(`user-${user}`, record, {
      address: '192.0.2.1',
    })
    expect(envelope).toMatchObject({ key: `user-${user}`, fields: ['address'] })
    expect(await open(envelope, record)).toEqual({ address: '192.0.2.1' })
  })

  it('makes an envelope that does not open in another record', async () => {
    const envelope = await new PersonalFields(wrapper, clock).seal(
      `user-${randomUUID()}`,
      randomUUID(),
      {
        address: 'a',
      },
    )
    await expect(open(envelope, randomUUID())).rejects.toThrow()
  })

  it('asks the wrapper once an hour for each person, and never repeats a nonce', async () => {
    let wraps = 0
    let at = Date.parse('2026-11-21T10:00:00Z')
    const counting = {
      ensureKey: () => wrapper.ensureKey(),
      wrap: (name: string, bytes: Uint8Array) => (wraps++, wrapper.wrap(name, bytes)),
      unwrap: (name: string, text: string) => wrapper.unwrap(name, text),
      ready: () => wrapper.ready(),
    }
    const fields = new PersonalFields(counting, { now: () => new Date(at) })
    const user = randomUUID()
    const seal = () => fields.seal(`user-${user}`, randomUUID(), { address: 'a' })
    const nonces = new Set(
      (await Promise.all(Array.from({ length: 50 }, seal))).map(({ nonce }) => nonce),
    )
    expect(nonces.size).toBe(50)
    const before = wraps
    await seal()
    expect(wraps).toBe(before)
    at += 3_600_000
    await seal()
    expect(wraps).toBe(before + 1)
  })
})
