import { setTimeout as sleep } from 'node:timers/promises'
import { fullJitter } from '#core/backoff'
import type { Deps } from '../ports.ts'
import type { ObjectKey } from '../runtime/types.ts'

const RETRY = { baseMs: 5_000, capMs: 300_000 }

/**
 * Once, by a replica that comes to lead: looks at every record, so that what a deleted resource could not tell is
 * told although no event of it will ever come again.
 */
export async function lookForLeftOvers(
  deps: Pick<Deps, 'states' | 'log'>,
  look: (key: ObjectKey) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      for (const key of await deps.states.list(signal)) look(key)
      return
    } catch (error) {
      deps.log.warn({ err: error, tries }, 'Could not list the records of rotations')
      await sleep(fullJitter(tries, RETRY), undefined, { signal }).catch(() => undefined)
    }
  }
}
