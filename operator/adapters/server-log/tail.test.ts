import { describe, expect, it } from 'vitest'
import { instantOf, secondOf } from './instant.ts'
import { LogTail, type DatedRefusal } from './tail.ts'

const START = '2026-11-27T07:00:00'
const start = instantOf(`${START}Z`) ?? 0n
const refusal = (role: string) =>
  `2026-11-27 07:00:00 UTC [7] x@y FATAL:  role "${role}" is not permitted to log in`

/** A log as the API server serves it: from a whole second on, cut at the limit. */
class Log {
  readonly lines: string[] = []
  asked = 0
  add(time: string, text: string): void {
    this.lines.push(`2026-11-27T${time}Z ${text}\n`)
  }
  read = (sinceTime: string, limitBytes: number): Promise<string> => {
    this.asked += 1
    const from = instantOf(sinceTime) ?? 0n
    const late = this.lines.filter(
      (line) => (instantOf(line.slice(0, line.indexOf(' '))) ?? 0n) >= from,
    )
    return Promise.resolve(late.join('').slice(0, limitBytes))
  }
}

function follow(log: Log) {
  const tail = new LogTail(start)
  const roles: string[] = []
  const found = ({ role }: DatedRefusal) => roles.push(role)
  return { roles, advance: () => tail.advance(log.read, found), lostAt: () => tail.lostAt }
}

/** More than a piece within one second. */
function flood(log: Log, second: string): void {
  for (let i = 0; i < 900; i += 1)
    log.add(`${second}.${String(i).padStart(9, '0')}`, 'x'.repeat(1_000))
}

describe('LogTail', () => {
  it('tells each refusal once, however often its second is read again', async () => {
    const log = new Log()
    const { roles, advance } = follow(log)
    log.add('07:00:00.100000000', refusal('a'))
    await advance()
    log.add('07:00:00.200000000', refusal('b'))
    await advance()
    await advance()
    expect(roles).toEqual(['a', 'b'])
  })

  it('tells two refusals of the same moment', async () => {
    const log = new Log()
    const { roles, advance } = follow(log)
    for (const role of ['a', 'b']) log.add('07:00:00.100000000', refusal(role))
    await advance()
    expect(roles).toEqual(['a', 'b'])
  })

  it('does not tell what was before its beginning', async () => {
    const log = new Log()
    const { roles, advance } = follow(log)
    log.add('06:59:59.900000000', refusal('early'))
    log.add('07:00:00.000000000', refusal('first'))
    await advance()
    expect(roles).toEqual(['first'])
  })

  it('reads a long log in bounded goes and loses nothing at the edge of a piece', async () => {
    const log = new Log()
    const { roles, advance } = follow(log)
    for (let i = 0; i < 3_000; i += 1) {
      const time = secondOf(start + BigInt(i) * 1_000_000_000n).slice(11, 19)
      log.add(`${time}.000000000`, i % 1_000 === 999 ? refusal(`r${i}`) : 'x'.repeat(1_500))
    }
    expect(await advance()).toBe(false)
    expect(log.asked).toBe(4)
    while (!(await advance()));
    expect(roles).toEqual(['r999', 'r1999', 'r2999'])
  })

  it('goes on after a second that fills more than a piece', async () => {
    const log = new Log()
    const { roles, advance } = follow(log)
    flood(log, '07:00:00')
    log.add('07:00:01.000000000', refusal('after'))
    while (!(await advance()));
    expect(roles).toEqual(['after'])
  })

  it('knows of the second whose rest it never saw, and of none while it sees all', async () => {
    const log = new Log()
    const { roles, advance, lostAt } = follow(log)
    log.add('07:00:00.000000000', 'calm')
    await advance()
    expect(lostAt()).toBeUndefined()
    flood(log, '07:00:03')
    log.add('07:00:03.999999999', refusal('hidden'))
    while (!(await advance()));
    expect(roles).toEqual([])
    expect(lostAt()).toBe(instantOf('2026-11-27T07:00:03.999999999Z'))
  })
})
