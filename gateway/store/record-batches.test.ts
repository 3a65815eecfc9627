import { describe, expect, it } from 'vitest'
import { PalisadeError } from '#core/problem'
import { RecordBatches } from './record-batches.ts'

/** A database that commits when it is told to. */
function database(now = () => 0) {
  const commits: { readonly entries: readonly string[]; end: (error?: Error) => void }[] = []
  const batches = new RecordBatches<string>(
    (entries) =>
      new Promise<void>((resolve, reject) => {
        const end = (error?: Error) => (error === undefined ? resolve() : reject(error))
        commits.push({ entries, end })
      }),
    now,
  )
  const settled = () => new Promise((done) => setImmediate(done))
  return { batches, commits, settled }
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`)
const outcome = (promise: Promise<void>) =>
  promise.then(
    () => 'committed',
    (error: Error) => error.message,
  )

describe('RecordBatches', () => {
  it('sends a record that finds a free place at once, alone', () => {
    const { batches, commits } = database()
    for (const name of names(4)) void batches.append(name)
    expect(commits.map(({ entries }) => entries)).toEqual([['r0'], ['r1'], ['r2'], ['r3']])
  })

  it('commits together what waited meanwhile, and acknowledges none before', async () => {
    const { batches, commits, settled } = database()
    let acknowledged = 0
    for (const name of names(7)) void batches.append(name).then(() => (acknowledged += 1))
    commits[0]?.end()
    await settled()
    expect(commits[4]?.entries).toEqual(['r4', 'r5', 'r6'])
    expect(acknowledged).toBe(1)
    commits[4]?.end()
    await settled()
    expect(acknowledged).toBe(4)
  })

  it('takes 64 at a time', async () => {
    const { batches, commits, settled } = database()
    for (const name of names(4 + 100)) void batches.append(name)
    commits[0]?.end()
    commits[1]?.end()
    await settled()
    expect(commits.slice(4).map(({ entries }) => entries.length)).toEqual([64, 36])
  })

  it('lets one record that is refused fail alone', async () => {
    const refused = new Error('duplicate key')
    const batches = new RecordBatches<string>(async (entries) => {
      await new Promise((done) => setImmediate(done))
      if (entries.includes('r5')) throw refused
    })
    const outcomes = await Promise.all(names(8).map((name) => outcome(batches.append(name))))
    expect(outcomes).toEqual(
      names(8).map((name) => (name === 'r5' ? 'duplicate key' : 'committed')),
    )
  })

  it('tells every record of a commit whose outcome is unknown, and repeats none', async () => {
    const { batches, commits, settled } = database()
    const outcomes = names(6).map((name) => outcome(batches.append(name)))
    commits[0]?.end()
    await settled()
    commits[4]?.end(new PalisadeError('ERR_OUTCOME_UNKNOWN', 'no answer'))
    for (const { end } of commits) end()
    expect((await Promise.all(outcomes)).map((text) => text === 'committed')).toEqual([
      ...[true, true, true, true],
      ...[false, false],
    ])
    expect(commits).toHaveLength(5)
  })

  it('gives up those that waited for five seconds, and sends none of them', async () => {
    let clock = 0
    const { batches, commits, settled } = database(() => clock)
    const outcomes = names(6).map((name) => outcome(batches.append(name)))
    clock = 5_001
    const late = outcome(batches.append('late'))
    commits[0]?.end(new PalisadeError('ERR_DATABASE_UNAVAILABLE', 'gone'))
    await settled()
    expect(commits[4]?.entries).toEqual(['late'])
    for (const { end } of commits) end()
    expect(await late).toBe('committed')
    const [r4, r5] = (await Promise.all(outcomes)).slice(4)
    expect([r4, r5].every((text) => text?.includes('did not get to a record'))).toBe(true)
  })

  it('goes on after a failure', async () => {
    const { batches, commits, settled } = database()
    const first = outcome(batches.append('a'))
    commits[0]?.end(new PalisadeError('ERR_DATABASE_UNAVAILABLE', 'gone'))
    await first
    const second = outcome(batches.append('b'))
    await settled()
    commits[1]?.end()
    expect(await second).toBe('committed')
  })
})
