import { describe, expect, it } from 'vitest'
import { instantOf, secondOf } from './instant.ts'
import { LogTail, type DatedRefusal } from './tail.ts'

const START = '2026-11-27T07:00:00'
const start = instantOf(`${START}Z`) ?? 0n
const refusal = (role: string) =>
  `2026-11-27 07:00:00 UTC [7] x@y FATAL:  role "${role}" is not permitted to log in`

/** A log as the API server serves it: its newest file from a whole second on, cut at the limit. */
class Log {
  lines: string[] = [`2026-11-27T05:00:00.000000000Z server starts\n`]
  asked = 0
  add(time: string, text: string): void {
    this.lines.push(`2026-11-27T${time}Z ${text}\n`)
  }
  /** As the kubelet does with a file that grew too long: what is in it can no longer be asked for. */
  rotate(): void {
    this.lines = []
  }
  read = (sinceTime: string | undefined, limitBytes: number): Promise<string> => {
    this.asked += 1
    const from = (sinceTime === undefined ? undefined : instantOf(sinceTime)) ?? 0n
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
  return { roles, advance: () => tail.advance(log.read, found), gap: () => tail.gapSince(start) }
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

  it('reads a line that was still being written when it is whole', async () => {
    const log = new Log()
    const { roles, advance } = follow(log)
    const line = `2026-11-27T07:00:01.000000000Z ${refusal('a')}\n`
    log.lines.push(line.slice(0, -9))
    await advance()
    log.lines.splice(-1, 1, line)
    await advance()
    expect(roles).toEqual(['a'])
  })

  it('reads a long log in bounded goes and loses nothing at the edge of a piece', async () => {
    const log = new Log()
    const { roles, advance } = follow(log)
    for (let i = 0; i < 3_000; i += 1) {
      const time = secondOf(start + BigInt(i) * 1_000_000_000n).slice(11, 19)
      log.add(`${time}.000000000`, i % 1_000 === 999 ? refusal(`r${i}`) : 'x'.repeat(1_500))
    }
    expect(await advance()).toBe(false)
    expect(log.asked).toBe(5)
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
    const { roles, advance, gap } = follow(log)
    log.add('07:00:00.000000000', 'calm')
    await advance()
    expect(gap()).toBeUndefined()
    flood(log, '07:00:03')
    log.add('07:00:03.999999999', refusal('hidden'))
    while (!(await advance()));
    expect(roles).toEqual([])
    expect(gap()).toBe('flooded')
  })
})

describe('LogTail, when the kubelet began a new file', () => {
  it('knows that what came after its last line may be gone', async () => {
    const log = new Log()
    const { roles, advance, gap } = follow(log)
    log.add('07:00:01.000000000', 'calm')
    await advance()
    log.add('07:00:02.000000000', refusal('hidden'))
    log.rotate()
    log.add('07:00:03.000000000', refusal('after'))
    await advance()
    expect(roles).toEqual(['after'])
    expect(gap()).toBe('cut')
  })

  it('knows it while nothing stands in the new one', async () => {
    const log = new Log()
    const { advance, gap } = follow(log)
    log.add('07:00:01.000000000', 'calm')
    await advance()
    log.rotate()
    await advance()
    expect(gap()).toBe('cut')
  })

  it('knows it although it had not yet read a line', async () => {
    const log = new Log()
    const { advance, gap } = follow(log)
    await advance()
    expect(gap()).toBeUndefined()
    log.rotate()
    log.add('07:00:03.000000000', 'calm')
    await advance()
    expect(gap()).toBe('cut')
  })

  it('knows it when that was between the beginning it asks for and its first look', async () => {
    const log = new Log()
    const { advance, gap } = follow(log)
    log.add('07:00:01.000000000', refusal('hidden'))
    log.rotate()
    log.add('07:00:03.000000000', 'calm')
    await advance()
    expect(gap()).toBe('cut')
  })

  it('knows it when that was beneath a second too full to be read', async () => {
    const log = new Log()
    const tail = new LogTail(start)
    const advance = () => tail.advance(log.read, () => undefined)
    flood(log, '07:00:03')
    while (!(await advance()));
    log.add('07:00:04.000000000', refusal('hidden'))
    log.rotate()
    log.add('07:00:05.000000000', 'calm')
    await advance()
    expect(tail.gapSince(instantOf('2026-11-27T07:00:04Z') ?? 0n)).toBe('cut')
  })

  it('holds it against nobody who asks for what came later', async () => {
    const log = new Log()
    const tail = new LogTail(start)
    log.rotate()
    log.add('07:00:03.000000000', 'calm')
    await tail.advance(log.read, () => undefined)
    expect(tail.gapSince(instantOf('2026-11-27T07:00:03Z') ?? 0n)).toBeUndefined()
  })
})

describe('LogTail, of a writer that leaves records out', () => {
  const record = (millisecond: number, level = 'info') =>
    `{"level":"${level}","ts":"2026-11-27T07:00:05.${String(millisecond).padStart(3, '0')}Z","msg":"record"}`

  async function tailOf(count: number, level?: string) {
    const log = new Log()
    const { advance, gap } = follow(log)
    for (let i = 0; i < count; i += 1) log.add(`07:00:05.${String(i).padStart(9, '0')}`, record(i))
    if (level) log.add('07:00:07.000000000', record(999, level))
    await advance()
    return gap()
  }

  it('knows that more than a hundred within a second are not all of them', async () => {
    expect(await tailOf(99)).toBeUndefined()
    expect(await tailOf(100)).toBe('sampled')
  })

  it('knows a writer that leaves none out by the lines it would not write otherwise', async () => {
    expect(await tailOf(300, 'debug')).toBeUndefined()
    expect(await tailOf(300, 'warning')).toBe('sampled')
  })
})
