import { randomBytes } from 'node:crypto'
import Compile from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { AuditEvent, PLATFORM_TENANT } from '#api/audit-event'
import { leafHash } from '#core/audit/merkle'
import { isAuthentic } from '#core/audit/record'
import { canonicalJson } from '#core/canonical-json'
import { fixedClock } from '#core/clock'
import { Sealed } from '#core/sealed'
import { KeyFileWrapper } from '../keys/key-file-wrapper.ts'
import type { Caller } from '../ports/callers.ts'
import { AuditWriter } from './audit.ts'
import { PersonalFields } from './personal-fields.ts'

const clock = fixedClock('2026-11-21T12:00:00Z')
const wrapper = new KeyFileWrapper(Sealed.of(randomBytes(32)))
const macKey = { id: '2026-11', key: Sealed.of<Uint8Array>(randomBytes(32)) }
const writer = new AuditWriter({
  clock,
  macKeys: [macKey],
  personal: new PersonalFields(wrapper, clock),
  writer: 'gateway-0',
})
const caller: Caller = {
  userId: '017f22e2-79b0-7cc3-98c4-dc0c0c07398e',
  tenantId: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  roles: ['user'],
  tokenVersion: 0,
  tokenId: '017f22e2-79b0-7cc3-98c4-dc0c0c073980',
}
const origin = {
  requestId: '017f22e2-79b0-7cc3-98c4-dc0c0c073981',
  method: 'GET',
  route: '/api/secrets/:name',
  address: '192.0.2.77',
  userAgent: 'curl/8 (canary-93d1)',
}
const secret = { kind: 'secret', id: '017f22e2-79b0-7cc3-98c4-dc0c0c073982', version: 3 } as const
const validator = Compile(AuditEvent)

describe('AuditWriter', () => {
  it('writes records of version 1, in their canonical bytes', async () => {
    const rows = [
      await writer.ofCaller(caller, origin, {
        eventType: 'secret.read',
        outcome: 'success',
        subject: secret,
      }),
      writer.ofPlatform({
        eventType: 'refusals.counted',
        outcome: 'refused',
        subject: { kind: 'route', id: '/api/secrets/:name' },
        code: 'ERR_TOKEN_INVALID',
        details: { count: 12, minute: '2026-11-21T12:00:00.000Z' },
      }),
    ]
    for (const { bytes, id, tenantId } of rows) {
      const record = JSON.parse(Buffer.from(bytes).toString()) as AuditEvent
      expect([...validator.Errors(record)]).toEqual([])
      expect(canonicalJson(record)).toBe(Buffer.from(bytes).toString())
      expect(record).toMatchObject({ id, tenant: tenantId })
    }
    expect(rows[1]?.tenantId).toBe(PLATFORM_TENANT)
  })

  it('hashes and authenticates exactly the bytes that are stored', () => {
    const { bytes, leaf, mac } = writer.ofPlatform({
      eventType: 'refusals.counted',
      outcome: 'refused',
      subject: { kind: 'log', id: 'surplus' },
    })
    expect(Buffer.from(leaf).toString('hex')).toBe(leafHash(bytes).toString('hex'))
    expect(isAuthentic(bytes, mac, macKey.key.reveal())).toBe(true)
    expect(Buffer.from(bytes).toString()).toContain('"time":"2026-11-21T12:00:00.000Z"')
  })

  it('carries address and user agent as ciphertext alone', async () => {
    const { bytes } = await writer.ofCaller(caller, origin, {
      eventType: 'secret.read',
      outcome: 'success',
      subject: secret,
    })
    const text = Buffer.from(bytes).toString()
    expect(text).not.toContain('192.0.2.77')
    expect(text).not.toContain('canary-93d1')
    expect(text).toContain('"fields":["address","userAgent"]')
  })
})
