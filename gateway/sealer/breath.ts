import { setTimeout as pause } from 'node:timers/promises'

const BREATH_MS = 10

/** Between two pages of something long, so that sealing goes first. Rejects when the signal is aborted. */
export const breathe = (signal?: AbortSignal): Promise<void> =>
  pause(BREATH_MS, undefined, signal ? { signal } : {})
