import type { FastifyBaseLogger } from 'fastify'
import { redact } from '#core/redact'

export interface Shutdown {
  readonly log: FastifyBaseLogger
  /** In this order; each is tried even when the one before it failed. */
  readonly steps: readonly { readonly name: string; readonly run: () => Promise<unknown> | void }[]
  /** After this the process ends whatever is still open. */
  readonly limitMs: number
}

/** Ends the process on SIGTERM or SIGINT, once. */
export function shutDownOnSignal(shutdown: Shutdown): void {
  let started = false
  const begin = (signal: NodeJS.Signals) => {
    if (started) return
    started = true
    shutdown.log.info({ signal }, 'Shutting down')
    const last = setTimeout(() => {
      shutdown.log.error({ limitMs: shutdown.limitMs }, 'Shutdown took too long')
      process.exit(1)
    }, shutdown.limitMs)
    last.unref()
    void runSteps(shutdown).then((ok) => process.exit(ok ? 0 : 1))
  }
  process.on('SIGTERM', begin)
  process.on('SIGINT', begin)
}

async function runSteps({ log, steps }: Shutdown): Promise<boolean> {
  let ok = true
  for (const { name, run } of steps) {
    try {
      await run()
    } catch (error) {
      ok = false
      log.error({ step: name, error: redact(error) }, 'A step of the shutdown failed')
    }
  }
  return ok
}
