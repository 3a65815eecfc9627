import Compile from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '#core/canonical-json'
import { AUDIT_EVENT_TYPES, AuditEvent } from './audit-event.ts'

const validator = Compile(AuditEvent)
const event = (change: object = {}): object => ({
  format: 1,
  id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  time: '2026-11-21T12:00:00.000Z',
  tenant: '00000000-0000-0000-0000-000000000001',
  eventType: 'secret.read',
  outcome: 'success',
  actor: { kind: 'user', id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398e', session: 'jti-1' },
  subject: { kind: 'secret', id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398d', version: 3 },
  request: { id: 'req-1', method: 'GET', route: '/api/secrets/:name', status: 200 },
  writer: 'gateway-0',
  macKey: '2026-11',
  personal: [
    {
      key: 'user-017f22e2-79b0-7cc3-98c4-dc0c0c07398e',
      fields: ['address', 'userAgent'],
      algorithm: 'A256GCM',
      wrappedKey: 'vault:v1:AAAAAAAAAAAAAAAA',
      nonce: 'AAAAAAAAAAAAAAAA',
      ciphertext: 'A'.repeat(40),
    },
  ],
  ...change,
})

describe('AuditEvent', () => {
  it('takes a complete record and one without the optional parts', () => {
    expect(validator.Check(event())).toBe(true)
    const { personal: _, ...rest } = event() as Record<string, unknown>
    expect(validator.Check(rest)).toBe(true)
  })

  it.each([
    ['a field that it does not know', { address: '192.0.2.7' }],
    ['an e-mail address as an id', { actor: { kind: 'user', id: 'a@example.org' } }],
    ['a sentence as a detail', { details: { why: 'Alice asked for it' } }],
    ['a detail that is an object', { details: { why: {} } }],
    ['an event type outside the list', { eventType: 'secret.peek' }],
    ['another format', { format: 2 }],
    ['a time that is not in UTC', { time: '2026-11-21T13:00:00.000+01:00' }],
    ['a path with its query', { request: { id: 'r', route: '/api/secrets?name=x' } }],
    ['personal text in clear', { personal: [{ address: '192.0.2.7' }] }],
    ['a place in the log', { seq: 7 }],
  ])('refuses %s', (_, change) => {
    expect(validator.Check(event(change))).toBe(false)
  })

  it('has one canonical text', () => {
    expect(canonicalJson(event()).startsWith('{"actor":{')).toBe(true)
  })

  it('names each event type once, as noun and act', () => {
    expect(new Set(AUDIT_EVENT_TYPES).size).toBe(AUDIT_EVENT_TYPES.length)
    for (const type of AUDIT_EVENT_TYPES)
      expect(type).toMatch(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/)
  })
})
