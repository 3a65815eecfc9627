import { describe, expect, it } from 'vitest'
import { askPlaces, assertConfirmed } from './places.ts'
import type { CheckpointSink } from './ports.ts'

const place = (newest: () => Promise<string | undefined>): CheckpointSink => ({
  name: 'p',
  newest,
  publish: () => Promise.resolve(true),
})
const remembers = place(() => Promise.resolve('note'))
const isEmpty = place(() => Promise.resolve(undefined))
const refuses = place(() => Promise.reject(new Error('away')))
const hangs = place(() => new Promise(() => undefined))

describe('askPlaces', () => {
  it.each([
    ['all remember', [remembers, remembers], true],
    ['all answer and remember nothing', [isEmpty, isEmpty], true],
    ['one hangs and the other remembers', [hangs, remembers], true],
    ['one refuses and the other remembers', [remembers, refuses], true],
    ['one hangs and the other remembers nothing', [hangs, isEmpty], false],
    ['none answers', [hangs, refuses], false],
    ['there is none', [], true],
  ])('lets a database be believed or not when %s', async (_, sinks, isConfirmed) => {
    const asked = await askPlaces(sinks, 20)
    const check = expect(() => assertConfirmed(asked))
    if (isConfirmed) check.not.toThrow()
    else check.toThrow('ERR_AUDIT_UNCONFIRMED')
  })
})
