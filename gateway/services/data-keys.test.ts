import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from '#core/clock'
import type { KeyWrapper } from '../ports/key-wrapper.ts'
import { DataKeys } from './data-keys.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('keeps no key longer than five minutes, whether or not somebody asks again', async () => {
  const wrapper = { unwrap: async () => randomBytes(64) } as unknown as KeyWrapper
  const keys = new DataKeys(wrapper, { clock: systemClock })
  const tenant = randomUUID()
  const first = await keys.unwrap(tenant, 'first')
  await vi.advanceTimersByTimeAsync(200_000)
  await keys.unwrap(tenant, 'second')
  await vi.advanceTimersByTimeAsync(100_000)
  expect(keys.size).toBe(1)
  expect(first.every((byte) => byte === 0)).toBe(true)
  await vi.advanceTimersByTimeAsync(200_000)
  expect(keys.size).toBe(0)
})
