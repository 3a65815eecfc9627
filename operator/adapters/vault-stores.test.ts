import { describe, expect, it } from 'vitest'
import { observed } from '../secret-rotation/testkit/observed.ts'
import { troubleOf } from '../secret-rotation/trouble.ts'
import type { VaultKv } from './vault-kv.ts'
import { createStateStore, createValueStore } from './vault-stores.ts'

const { signal } = new AbortController()
const key = { namespace: 'shop', name: 'orders' }
const { rotation, state } = observed({ flight: { pending: 'canary-71d0' } })

/** Answers every read with version 7 of the path. */
const holding = (value: unknown): VaultKv =>
  ({ read: () => Promise.resolve({ value, cas: 7 }) }) as unknown as VaultKv
const read = (value: unknown) => createStateStore(holding(value), 'c').read(key, signal)
const asText = (record: unknown) => ({ record: JSON.stringify(record) })

describe('the store of records', () => {
  it('reads its own records, those of the first shape, and fields that it does not know', async () => {
    expect(await read(asText(state.value))).toEqual({ value: state.value, cas: 7 })
    const { fences: _, ...first } = state.value
    expect(await read(first)).toEqual({ value: { ...first, fences: {} }, cas: 7 })
    const newer = { ...state.value, later: true }
    expect(await read(asText(newer))).toEqual({ value: newer, cas: 7 })
  })

  it.each([
    ['no JSON', { record: '{canary-71d0' }],
    ['null', asText(null)],
    ['a record without a claim', asText({ ...state.value, claim: undefined })],
    ['an unknown step', asText({ ...state.value, rotation: { step: 'canary-71d0' } })],
    ['another format', asText({ ...state.value, format: 2 })],
    ['a deleted version', undefined],
  ])('stalls the rotation over %s, and repeats nothing of it', async (_, stored) => {
    const error: unknown = await read(stored).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_STORE_REFUSED' })
    const standing = troubleOf(error, rotation)
    expect(standing).toMatchObject({ stalled: true, reason: 'StoreRefused' })
    expect(standing?.message).toContain('palisade-state/c/shop/orders')
    expect(standing?.message).not.toContain('canary-71d0')
  })
})

describe('the store of values', () => {
  it('names the number to write on where the newest version was deleted', async () => {
    const values = createValueStore(holding(undefined))
    const found = await values.read('shop', 'orders/db', signal)
    expect(found).toEqual({ value: { owner: '', released: true }, cas: 7 })
    expect(await values.read('shop', 'orders/db', signal, 6)).toBeUndefined()
  })
})
