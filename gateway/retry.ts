import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { fullJitter } from '#core/backoff'
import { PalisadeError } from '#core/problem'

const WAIT = { baseMs: 250, capMs: 10_000 }
/** An edit is needed; waiting mends nothing. */
const FINAL = new Set(['ERR_CONFIG_INVALID', 'ERR_CONFIG_SOURCE_REFUSED'])

/** Tries until it succeeds: at start, what the gateway stands on may still be coming up. */
export async function untilItWorks<T>(
  log: FastifyBaseLogger,
  part: string,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof PalisadeError) || FINAL.has(error.code)) throw error
      log.warn({ part, tries, code: error.code, detail: error.detail }, 'Waiting for a part')
      await sleep(fullJitter(tries, WAIT))
    }
  }
}
