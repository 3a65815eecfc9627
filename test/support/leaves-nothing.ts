import { afterAll, expect, vi } from 'vitest'

const DEATHS = ['uncaughtException', 'unhandledRejection'] as const

const state = () => ({
  folder: process.cwd(),
  fakeTimers: vi.isFakeTimers(),
  listeners: DEATHS.map((name) => process.listenerCount(name)),
})

/** Unit tests share processes: a file finds what it would find alone, and leaves it so. Taken before the file is read. */
const before = state()
const environment = { ...process.env }

afterAll(() => {
  expect(state()).toEqual(before)
  const names = Object.keys({ ...environment, ...process.env })
  // Names alone: a value of somebody's shell is nothing for a log.
  expect(names.filter((name) => environment[name] !== process.env[name])).toEqual([])
})
