import { setTimeout as sleep } from 'node:timers/promises'

/** Sleeps, or returns early when the engine asks us to stop; the caller looks at the signal. */
export async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
