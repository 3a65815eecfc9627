import { describe, expect, it } from 'vitest'
import { RefusalReader } from './refusal.ts'

const record = (change: Readonly<Record<string, string>> = {}, logger = 'postgres') =>
  JSON.stringify({
    level: 'info',
    ts: '2026-11-27T07:00:00.1Z',
    logger,
    msg: 'record',
    logging_pod: 'palisade-db-1',
    record: {
      user_name: 'shop_a',
      database_name: 'shop',
      process_id: '77',
      connection_from: '10.244.0.9:41234',
      error_severity: 'FATAL',
      sql_state_code: '28000',
      message: 'role "shop_a" is not permitted to log in',
      ...change,
    },
  })
const plain = (rest: string) => `2026-11-27 07:00:00.123 UTC [77] ${rest}`
const read = (...lines: string[]) => {
  const reader = new RefusalReader()
  return lines.map((line) => reader.read(line)).at(-1)
}

describe('RefusalReader', () => {
  it('reads role and address of a closed login from a record of CloudNativePG', () => {
    expect(read(record())).toEqual({ role: 'shop_a', address: '10.244.0.9' })
    expect(read(record({ connection_from: 'fd00::9:41234' }))?.address).toBe('fd00::9')
    expect(read(record({ connection_from: '[local]' }))?.address).toBe('unknown')
  })

  it('reads the same from plain lines, the address from the line that the process began with', () => {
    const began = plain('[unknown]@[unknown] LOG:  connection received: host=10.244.0.9 port=41234')
    const refused = plain('shop_a@shop FATAL:  role "shop_a" is not permitted to log in')
    expect(read(began, refused)).toEqual({ role: 'shop_a', address: '10.244.0.9' })
    expect(read(refused)).toEqual({ role: 'shop_a', address: 'unknown' })
  })

  it.each([
    [
      'a wrong value',
      { sql_state_code: '28P01', message: 'password authentication failed for user "shop_a"' },
    ],
    [
      'a client that no rule lets in',
      { message: 'no pg_hba.conf entry for host "10.0.0.1", user "shop_a"' },
    ],
    ['another user than the one of the record', { user_name: 'shop_b' }],
    ['a lesser severity', { error_severity: 'LOG' }],
    ['the sentence inside another one', { message: 'x role "shop_a" is not permitted to log in' }],
  ])('takes nothing from %s', (_, change) => {
    expect(read(record(change))).toBeUndefined()
  })

  it.each([
    [
      'a continuation line',
      '\t2026-11-27 07:00:00 UTC [7] FATAL:  role "shop_a" is not permitted to log in',
    ],
    [
      'a user named like a refusal',
      plain(
        'FATAL:  role "shop_a" is not permitted to log in@shop FATAL:  password authentication failed for user "x"',
      ),
    ],
    [
      'an application named like a refusal',
      plain(
        'u@d LOG:  connection authorized: user=u database=d application_name=FATAL:  role "shop_a" is not permitted to log in',
      ),
    ],
    [
      'a wrong value',
      plain('shop_a@shop FATAL:  password authentication failed for user "shop_a"'),
    ],
    ['a record of another logger', record({}, 'wal-archive')],
    ['a record that was cut off', record().slice(0, -9)],
    ['nothing', ''],
  ])('takes nothing from %s', (_, line) => {
    expect(read(line)).toBeUndefined()
  })

  it('remembers no more processes than a bounded number', () => {
    const reader = new RefusalReader()
    const began = (pid: number) =>
      `2026-11-27 07:00:00 UTC [${pid}] [unknown]@[unknown] LOG:  connection received: host=10.0.0.1 port=1`
    for (let pid = 1; pid <= 1_500; pid += 1) reader.read(began(pid))
    const refused = (pid: number) =>
      reader.read(
        `2026-11-27 07:00:00 UTC [${pid}] a@b FATAL:  role "a" is not permitted to log in`,
      )
    expect(refused(1)?.address).toBe('unknown')
    expect(refused(1_500)?.address).toBe('10.0.0.1')
  })
})
