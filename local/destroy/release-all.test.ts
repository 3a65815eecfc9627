import { describe, expect, it } from 'vitest'
import type { StepContext } from '../steps.ts'
import type { OurResources, Resource } from './our-resources.ts'
import { releaseAll, removeOperator } from './release-all.ts'

const PATIENCE = { ms: 40, everyMs: 1 }
const context: StepContext = { note: () => undefined, signal: new AbortController().signal }

const rotation = (name: string): Resource => ({
  kind: 'SecretRotation',
  namespace: 'shop',
  name,
  uid: `uid-${name}`,
  finalizers: ['palisade.dev/release'],
})

type Behaviour = 'released' | 'orphaned' | 'waits for its backend' | 'never'

/** A cluster in memory whose operator treats each resource as the case says. */
function cluster(of: Readonly<Record<string, Behaviour>>, operator = true) {
  let left = Object.keys(of).map(rotation)
  let there = operator
  const orphans: { uid: string; note: string }[] = []
  const act = (...treated: readonly Behaviour[]): void => {
    if (!there) return
    const gone = left.filter(({ name }) => treated.includes(of[name] ?? 'never'))
    for (const { uid, name } of gone)
      if (of[name] !== 'released') orphans.push({ uid, note: 'Released without its backend' })
    left = left.filter((one) => !gone.includes(one))
  }
  const told: string[] = []
  const ours: OurResources = {
    list: () => Promise.resolve(left),
    remove: async () => act('released', 'orphaned'),
    removeBackends: async () => act('waits for its backend'),
    isOperatorThere: () => Promise.resolve(there),
    removeOperator: async () => void (there = false),
    letGo: async (one) => {
      told.push(one.name)
      left = left.filter(({ uid }) => uid !== one.uid)
    },
    orphans: () => Promise.resolve(orphans),
    forgetNumbers: () => Promise.resolve(),
  }
  return { ours, forced: told, left: () => left, make: (name: string) => left.push(rotation(name)) }
}

describe('releaseAll', () => {
  it('tells how many the operator released', async () => {
    const { ours, forced } = cluster({ a: 'released', b: 'released' })
    expect(await releaseAll(ours, context, PATIENCE)).toBe('2 released, 0 orphaned')
    expect(forced).toEqual([])
  })

  it('names what was orphaned in the words of the operator', async () => {
    const { ours } = cluster({ a: 'released', b: 'orphaned' })
    expect(await releaseAll(ours, context, PATIENCE)).toMatch(
      /^1 released, 1 orphaned\n +orphaned: shop\/b: Released without its backend$/,
    )
  })

  it('deletes the backends when something waits for one of them', async () => {
    const { ours, forced, left } = cluster({ a: 'waits for its backend' })
    expect(await releaseAll(ours, context, PATIENCE)).toContain('orphaned: shop/a')
    expect({ forced, left: left() }).toEqual({ forced: [], left: [] })
  })

  it.each([true, false])(
    'lets go itself of what no operator lets go (operator there: %s)',
    async (there) => {
      const { ours, forced, left } = cluster({ a: 'never' }, there)
      expect(await releaseAll(ours, context, PATIENCE)).toContain('let go without its operator')
      expect({ forced, left: left() }).toEqual({ forced: ['a'], left: [] })
    },
  )

  it('says so where there is nothing', async () => {
    expect(await releaseAll(cluster({}).ours, context, PATIENCE)).toBe('there were none')
  })

  it('stops when it is interrupted, and does not force what still may go by itself', async () => {
    const interrupt = new AbortController()
    const { ours, forced } = cluster({ a: 'never' })
    const run = releaseAll(
      ours,
      { ...context, signal: interrupt.signal },
      { ms: 5_000, everyMs: 1 },
    )
    interrupt.abort()
    await expect(run).rejects.toThrow()
    expect(forced).toEqual([])
  })
})

describe('removeOperator', () => {
  it('lets go of what somebody made in the meantime', async () => {
    const { ours, make, left } = cluster({})
    make('late')
    expect(await removeOperator(ours)).toBe('ended; let go of shop/late')
    expect(left()).toEqual([])
  })
})
