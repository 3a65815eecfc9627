import { afterAll, describe, it } from 'vitest'
import { readMutations } from './mutation.ts'
import { runNamedTests } from './run-named-tests.ts'
import { Copies, withPatch } from './sources.ts'
import { notGreen, verdictOn } from './verdict.ts'

const mutations = readMutations()
const copies = new Copies()
afterAll(() => copies.remove())

/** Two at a time, each in a copy of the sources; the longest waits for a PostgreSQL of its own to start. */
describe.concurrent('a mutation', { timeout: 180_000 }, () => {
  it('that is not applied leaves every named test green', async ({ expect }) => {
    const report = await copies.use((copy) => runNamedTests(copy, mutations))
    const tests = mutations.map(({ test }) => test)
    expect(notGreen(report, tests)).toEqual([])
  })

  const named = mutations.map((mutation) => [mutation.name, mutation] as const)
  it.for(named)('%s turns its test red', async ([, mutation], { expect }) => {
    const { path, file, test } = mutation
    await copies.use((copy) =>
      withPatch(copy, path, async () => {
        const verdict = verdictOn(await runNamedTests(copy, [mutation]), test)
        expect(verdict, `${file}: ${test}`).toEqual({ kind: 'red' })
      }),
    )
  })
})
