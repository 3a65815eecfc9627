import Compile from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { IngestDetails } from '#api/rest/audit-ingest'
import { enqueue, entryKey, inherited, undeliveredSince, without } from './audit-outbox.ts'
import type { AuditEntry } from './audit-outbox.ts'

const START = Date.parse('2026-10-21T12:00:00Z')
const entry = (seq: number): AuditEntry => ({
  action: 'rotation.begin',
  rotationId: `rotation-${Math.floor(seq / 10)}`,
  seq,
  at: new Date(START + seq * 60_000).toISOString(),
  details: { version: seq },
})
const fill = (count: number) => {
  let outbox: readonly AuditEntry[] = []
  for (let seq = 1; seq <= count; seq++) outbox = enqueue(outbox, entry(seq))
  return outbox
}

describe('an outbox that nobody takes', () => {
  it('keeps 2,000 steps as they are', () => {
    expect(fill(2_000).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 2_000 }, (_, i) => i + 1),
    )
  })

  it('folds the oldest into one entry that counts them, and stays at 2,000', () => {
    const outbox = fill(3_000)
    expect(outbox).toHaveLength(2_000)
    const [folded, next] = outbox
    expect(folded).toEqual({
      action: 'rotation.folded',
      rotationId: 'rotation-100',
      seq: 1_001,
      at: entry(1).at,
      details: {
        steps: 1_001,
        firstSeq: 1,
        lastSeq: 1_001,
        first: entry(1).at,
        last: entry(1_001).at,
      },
    })
    expect(next?.seq).toBe(1_002)
    expect(Compile(IngestDetails).Check(folded?.details)).toBe(true)
  })

  it('is as old as its first step, folded or not', () => {
    expect(undeliveredSince(fill(2_500))?.toISOString()).toBe(entry(1).at)
    expect(undeliveredSince([])).toBeUndefined()
  })

  it('gives each folding a key of its own, so that a larger one is no other content of a smaller one', () => {
    const [before] = fill(2_100)
    const [after] = fill(2_101)
    expect(before && after && entryKey(before) !== entryKey(after)).toBe(true)
  })
})

describe('without', () => {
  it('takes out what was delivered and leaves another action of the same number', () => {
    const publish: AuditEntry = { ...entry(1), action: 'rotation.publish' }
    expect(without([entry(1), publish], new Set([entryKey(entry(1))]))).toEqual([publish])
  })
})

describe('inherited', () => {
  it('names whose steps they were, and keeps the name that an earlier heir gave', () => {
    const once = inherited([entry(1)], 'uid-1')
    expect(inherited([...once, entry(2)], 'uid-2').map(({ uid }) => uid)).toEqual([
      'uid-1',
      'uid-2',
    ])
  })
})
