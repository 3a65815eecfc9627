import { afterAll, beforeAll, expect, vi } from 'vitest'

const DEATHS = ['uncaughtException', 'unhandledRejection'] as const

const state = () => ({
  folder: process.cwd(),
  environment: { ...process.env },
  fakeTimers: vi.isFakeTimers(),
  listeners: DEATHS.map((name) => process.listenerCount(name)),
})

/** Unit tests share processes: a file finds what it would find alone, and leaves it so. */
let before: ReturnType<typeof state>
beforeAll(() => {
  before = state()
})
afterAll(() => {
  expect(state()).toEqual(before)
})
