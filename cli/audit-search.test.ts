import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditQuery, FoundRecord } from '#api/rest/audit'
import { Sealed } from '#core/sealed'
import { lineOf, searchLog } from './audit-search.ts'
import { connectGateway, type AskGateway } from './gateway.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const found = (seq: number, overrides: Partial<FoundRecord> = {}): FoundRecord => ({
  id: ID,
  tenant: ID,
  record: {
    format: 1,
    id: ID,
    time: '2026-11-27T10:00:00.123Z',
    tenant: ID,
    eventType: 'secret.read',
    outcome: 'refused',
    code: 'ERR_NOT_FOUND',
    actor: { kind: 'user', id: 'u1' },
    subject: { kind: 'secret', id: 's1', version: 3 },
    request: { id: 'r1' },
    writer: 'w',
    macKey: 'k',
  },
  place: { epoch: 1, seq, tenantSeq: 1 },
  personal: [{ key: 'user-1', state: 'readable', address: '203.0.113.7', userAgent: 'curl' }],
  ...overrides,
})

describe('palisade audit search', () => {
  const CUT = { epoch: 1, seq: 7, sealedAt: '2026-11-01T00:00:00.000Z' }
  async function run(args: string[], pages: readonly FoundRecord[][], input = '', isCut = false) {
    const asked: AuditQuery[] = []
    const lines: string[] = []
    const notes: string[] = []
    const ask: AskGateway = async (_path, body) => {
      asked.push(body)
      const i = asked.length - 1
      const cut = isCut ? { cutThrough: CUT } : {}
      return {
        items: pages[i] ?? [],
        recordedAs: ID,
        ...cut,
        ...(pages[i + 1] ? { next: ID } : {}),
      }
    }
    await searchLog(args, 'audit search', 'oldest', {
      ask: async () => ask,
      out: (line) => lines.push(line),
      note: (line) => notes.push(line),
      input: async () => input,
    })
    return { asked, lines, notes }
  }

  it('follows the pages, empty ones as well, until there is no next or enough', async () => {
    const { asked, lines, notes } = await run([], [[found(1)], [], [found(2), found(3)]])
    expect(lines.map((line) => line.split('  ').at(-1))).toEqual(['1/1', '1/2', '1/3'])
    expect(asked.map(({ after, order }) => [after, order])).toEqual([
      [undefined, 'oldest'],
      [ID, 'oldest'],
      [ID, 'oldest'],
    ])
    expect(notes).toEqual([])
    const enough = await run(['--limit', '1'], [[found(1)], [found(2)]])
    expect([enough.lines.length, enough.notes.length]).toEqual([1, 1])
  })

  it('gives as JSON what is still JSON, and nothing in it speaks to the terminal', async () => {
    const userAgent = '\u001b[2J\u009b31m\u202e ok'
    const one = found(1, { personal: [{ key: 'k', state: 'readable', userAgent }] })
    const { lines } = await run(['--json'], [[one]])
    expect(lines.map((line) => JSON.parse(line) as FoundRecord)).toEqual([one])
    expect(lines.join()).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  it('says once, and not among the records, that it reaches into what was cut', async () => {
    const { lines, notes } = await run([], [[found(8)], [found(9)]], '', true)
    expect(lines).toHaveLength(2)
    expect(notes).toEqual([
      'Retention has cut the log through 1/7, sealed at 2026-11-01T00:00:00.000Z: older records are in the archive, not here.',
    ])
  })

  it('turns options into the filter of the gateway', async () => {
    const { asked } = await run(
      [
        ...[
          '--tenant',
          'all',
          '--subject',
          'secret/a/b',
          '--address',
          '-',
          '--type',
          'secret.read',
        ],
        ...['--type', 'secret.write', '--outcome', 'failed', '--from', '2026-11-27T10:00:00Z'],
      ],
      [[]],
      '203.0.113.7\n',
    )
    expect(asked).toEqual([
      {
        tenant: 'all',
        subject: { kind: 'secret', id: 'a/b' },
        address: '203.0.113.7',
        eventTypes: ['secret.read', 'secret.write'],
        outcomes: ['failed'],
        from: '2026-11-27T10:00:00Z',
        order: 'oldest',
        limit: 200,
      },
    ])
  })

  it.each([
    ['--type', 'no.such'],
    ['--subject', 'secret'],
    ['--from', 'yesterday'],
    ['--limit', '0'],
    ['something', 'else'],
  ])('refuses %s %s before anything is asked', async (...args) => {
    await expect(run(args, [])).rejects.toMatchObject({ code: 'ERR_USAGE' })
  })
})

describe('lineOf', () => {
  it('tells time, event, outcome, who, what, from where, by which request and the place', () => {
    expect(lineOf(found(42))).toBe(
      `2026-11-27T10:00:00.123Z  secret.read           refused ERR_NOT_FOUND  user/u1 -> secret/s1@3  from 203.0.113.7 (curl)  request r1  record ${ID}  1/42`,
    )
  })

  it('says what is erased, damaged or not yet sealed', () => {
    expect(lineOf(found(1, { personal: [{ key: 'user-1', state: 'erased' }] }))).toContain(
      '  from: erased  ',
    )
    expect(lineOf(found(1, { record: null, place: null }))).toMatch(/DAMAGED.*not yet sealed$/)
  })

  it('lets nothing that a client sent speak to the terminal', () => {
    const userAgent = '\u001b[2J\u009b31m\u202e\nok'
    const line = lineOf(found(1, { personal: [{ key: 'k', state: 'readable', userAgent }] }))
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(line).toContain('ok)')
  })
})

describe('connectGateway', () => {
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(request.url === '/ok' ? 200 : 403, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ code: 'ERR_FORBIDDEN', detail: 'this takes the scope' }))
  })
  beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  it('shows the token to the gateway alone and gives its refusal on', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ask = await connectGateway({ url, token: Sealed.of('t1'), caFile: undefined })
    await ask('/ok', {})
    expect(seen).toEqual(['Bearer t1'])
    const refusal = await ask('/no', {}).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'ERR_FORBIDDEN', detail: 'this takes the scope' })
    expect(String(refusal)).not.toContain('t1')
    const nowhere = { url: 'http://127.0.0.1:1', token: Sealed.of('t1'), caFile: undefined }
    await expect((await connectGateway(nowhere))('/ok', {})).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    })
  })
})
