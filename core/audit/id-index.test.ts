import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { joinBytes } from './columns.ts'
import { IdIndex } from './id-index.ts'

const indexOf = (ids: readonly string[]) => new IdIndex(joinBytes(ids.map((id) => Buffer.from(id))))

describe('IdIndex', () => {
  it('finds each of 5,000 ids in its row, and no other id', () => {
    const ids = Array.from({ length: 5_000 }, () => randomUUID())
    const index = indexOf(ids)
    expect(ids.every((id, row) => index.rowOf(id) === row)).toBe(true)
    expect(index.rowOf(randomUUID())).toBeUndefined()
  })

  it('finds the first of two that are the same', () => {
    const [a, b] = [randomUUID(), randomUUID()]
    expect(indexOf([b, a, a]).rowOf(a)).toBe(1)
  })

  it.each([[[]], [[randomUUID()]]])('finds nothing that is not in %j', (ids) => {
    expect(indexOf(ids).rowOf(randomUUID())).toBeUndefined()
    expect(indexOf(ids).rowOf('short')).toBeUndefined()
  })
})
