import fc from 'fast-check'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { AUDIT_EVENT_TYPES, AuditEvent, type AuditEventType } from '#api/audit-event'
import { EXPORT_FORMATS } from '#api/rest/audit'
import { toCef } from './cef.ts'
import { exportLine, readRecord } from './line.ts'
import { OCSF_KINDS } from './ocsf-classes.ts'
import { toOcsf } from './ocsf.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const CIPHERTEXT = 'cipher'.repeat(8)

function event(overrides: Partial<AuditEvent> = {}): AuditEvent {
  return {
    format: 1,
    id: ID,
    time: '2026-11-27T10:00:00.123Z',
    tenant: ID,
    eventType: 'secret.read',
    outcome: 'success',
    actor: { kind: 'user', id: ID, session: 't1' },
    subject: { kind: 'secret', id: 's1', version: 3 },
    request: { id: 'r1', method: 'GET', route: '/api/secrets/:name' },
    writer: 'gateway-0',
    macKey: 'audit-1',
    details: { name: 'db' },
    personal: [
      {
        key: `user-${ID}`,
        fields: ['address', 'userAgent'],
        algorithm: 'A256GCM',
        wrappedKey: 'vault:v1:wrappedwrappedwrapped',
        nonce: 'AAAAAAAAAAAAAAAA',
        ciphertext: CIPHERTEXT,
      },
    ],
    ...overrides,
  }
}
const PLACE = { epoch: 1, seq: 42, tenantSeq: 7 }

/** Of OCSF 1.6: what each class requires beside the members of every event, and the numbers of its activities. */
const REQUIRED: Readonly<Record<number, { members: readonly string[]; activities: number }>> = {
  3001: { members: ['user'], activities: 12 },
  3002: { members: ['user', 'service'], activities: 7 },
  3003: { members: ['user', 'privileges'], activities: 2 },
  3004: { members: ['entity'], activities: 13 },
  6003: { members: ['actor', 'api', 'src_endpoint'], activities: 4 },
}
const ALWAYS = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time']

describe('toOcsf', () => {
  it.each(AUDIT_EVENT_TYPES.map((type) => [type]))(
    'gives %s what its class requires',
    (eventType) => {
      const ocsf = toOcsf(event({ eventType }), PLACE) as Record<string, number> & object
      const { class_uid = 0, activity_id = 0 } = ocsf
      const rule = REQUIRED[class_uid]
      expect(Object.keys(ocsf)).toEqual(
        expect.arrayContaining([...ALWAYS, 'type_uid', ...(rule?.members ?? ['unknown class'])]),
      )
      expect(
        activity_id === 99 || (activity_id > 0 && activity_id <= (rule?.activities ?? 0)),
      ).toBe(true)
      expect(ocsf['type_uid']).toBe(class_uid * 100 + activity_id)
      expect(ocsf['category_uid']).toBe(Math.floor(class_uid / 1000))
    },
  )

  it('names every type of event once', () => {
    expect(Object.keys(OCSF_KINDS).sort()).toEqual([...AUDIT_EVENT_TYPES].sort())
  })

  it('makes an event of another kind of what a newer program recorded', () => {
    for (const eventType of ['later.event', 'toString'] as unknown as AuditEventType[]) {
      expect(toOcsf(event({ eventType }), null)).toMatchObject({ class_uid: 6003, activity_id: 99 })
    }
  })

  it('keeps time, place, tenant, request, actor and outcome where a reader of OCSF looks for them', () => {
    const refused = event({ outcome: 'refused', code: 'ERR_NOT_FOUND' })
    expect(toOcsf(refused, PLACE)).toMatchObject({
      time: Date.parse('2026-11-27T10:00:00.123Z'),
      status_id: 2,
      status_code: 'ERR_NOT_FOUND',
      severity_id: 2,
      metadata: {
        version: '1.6.0',
        product: { name: 'Palisade', vendor_name: 'Palisade' },
        uid: ID,
        tenant_uid: ID,
        sequence: 42,
      },
      actor: { user: { uid: ID, type_id: 1 }, session: { uid: 't1' } },
      api: { operation: 'GET /api/secrets/:name', request: { uid: 'r1' } },
    })
    expect(toOcsf(refused, null)).not.toHaveProperty('metadata.sequence')
  })
})

describe('what goes to a SIEM', () => {
  it('holds no personal field, not even as ciphertext, and names the key', () => {
    for (const text of [JSON.stringify(toOcsf(event(), PLACE)), toCef(event(), PLACE)]) {
      expect(text).not.toContain(CIPHERTEXT)
      expect(text).not.toContain('wrapped')
      expect(text).toContain(`user-${ID}`)
    }
  })

  it('is one line of each record that its schema allows, and of whatever else lies there', () => {
    const words = fc.string({ unit: 'binary', maxLength: 40 })
    fc.assert(
      fc.property(words, words, words, fc.constantFrom(...AUDIT_EVENT_TYPES), (a, b, c, type) => {
        const wild = event({
          eventType: type,
          actor: { kind: 'user', id: a },
          subject: { kind: 'secret', id: b },
          details: { name: c },
        })
        for (const line of [toCef(wild, PLACE), JSON.stringify(toOcsf(wild, null))]) {
          expect(line).not.toMatch(/[\n\r]/)
        }
      }),
    )
    expect(Value.Check(AuditEvent, event())).toBe(true)
  })
})

describe('readRecord', () => {
  const read = (value: unknown) => readRecord(Buffer.from(JSON.stringify(value)))

  it('gives back a record as its schema allows it, and one of a newer program', () => {
    const newer = {
      ...event(),
      eventType: 'later.event',
      actor: { kind: 'robot', id: 'r' },
      more: 1,
    }
    for (const whole of [event(), newer]) expect(read(whole)).toEqual(whole)
    expect(toOcsf(newer as unknown as AuditEvent, null)).toMatchObject({
      severity_id: 1,
      actor: { user: { type_id: 99 } },
    })
  })

  it.each([
    ['an object without members', {}],
    ['a list', []],
    ['a type of event that is a number', { ...event(), eventType: 5 }],
    ['personal fields that are a word', { ...event(), personal: 'y' }],
    ['a time that no calendar has', { ...event(), time: '2026-99-01T00:00:00.000Z' }],
    ['an outcome that there is not', { ...event(), outcome: 'toString' }],
    ['details in details', { ...event(), details: { a: { b: 1 } } }],
  ])('gives null for %s', (_, value) => {
    expect(read(value)).toBeNull()
  })

  it('gives null for what nobody could write again', () => {
    const deep = JSON.stringify(event()).replace(/}$/, `,"x":${'['.repeat(9e4)}${']'.repeat(9e4)}}`)
    expect(readRecord(Buffer.from(deep))).toBeNull()
  })

  it('leaves nothing that an export could fall over, whatever stands in place of a member', () => {
    const members = fc.constantFrom(...Object.keys(event()), 'code')
    fc.assert(
      fc.property(
        members,
        fc.jsonValue(),
        fc.constantFrom(...EXPORT_FORMATS),
        (name, value, as) => {
          const record = read({ ...event(), [name]: value })
          const line = exportLine({ id: ID, tenant: ID, record, place: PLACE }, as)
          expect(line).not.toMatch(/[\n\r]/)
          if (!record && as !== 'jsonl') expect(line).toContain('ERR_AUDIT_TAMPERED')
        },
      ),
    )
  })
})

/** As a reader of CEF takes a line apart: unescaped pipes first, then `key=` at a space. */
function parse(line: string): { head: string[]; fields: Map<string, string> } {
  const parts = line.match(/^((?:\\[\\|]|[^\\|])*\|){7}/)?.[0] ?? ''
  const head = parts
    .slice(0, -1)
    .split(/(?<!(?:^|[^\\])(?:\\\\)*\\)\|/)
    .map((part) => part.replace(/\\([\\|])/g, '$1'))
  const fields = new Map<string, string>()
  const rest = line.slice(parts.length)
  const starts = [...rest.matchAll(/(?:^| )([A-Za-z0-9]+)=/g)]
  starts.forEach((match, i) => {
    const text = rest.slice(match.index + match[0].length, starts[i + 1]?.index)
    const whole = text.replace(/\\(.)/g, (_, sign: string) =>
      sign === 'n' ? '\n' : sign === 'r' ? '\r' : sign,
    )
    fields.set(match[1] ?? '', whole)
  })
  return { head, fields }
}

describe('toCef', () => {
  it('gives back what was put in, whatever stands in it', () => {
    const nasty = fc.stringMatching(/^[a-z=|\\ \n\r]{0,30}$/)
    fc.assert(
      fc.property(nasty, nasty, (id, name) => {
        const wild = event({ eventType: name as AuditEventType, actor: { kind: 'user', id } })
        const { head, fields } = parse(toCef(wild, PLACE))
        const flat = (text: string) => text.replace(/[\n\r]/g, ' ')
        expect(head.slice(0, 6)).toEqual([
          'CEF:0',
          'Palisade',
          'Palisade',
          '1',
          flat(name),
          flat(`${name} success`),
        ])
        expect(fields.get('suid')).toBe(id)
        expect(fields.get('externalId')).toBe(ID)
      }),
    )
  })

  it('lets through no sign that a terminal or a reader of lines obeys', () => {
    const id = 'a\u001b[31mred\u0000\u0085\u2028\u2029\u009b2J=x|y\\z'
    const line = toCef(event({ actor: { kind: 'user', id } }), null)
    // eslint-disable-next-line no-control-regex
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    expect(line).toContain('suid=a [31mred     2J\\=x|y\\\\z ')
  })
})
