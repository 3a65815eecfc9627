// `make up`, `make destroy`, `make down`: the whole platform on this machine.
import { announce } from './answer.ts'
import { parseCommand } from './command.ts'
import { downSteps } from './down.ts'
import { explain, LocalError } from './errors.ts'
import { withLock } from './lock.ts'
import { runSteps, StepFailed, type Terminal } from './steps.ts'

const terminal: Terminal = { line: (text) => console.log(text), now: () => performance.now() }
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())

async function main(): Promise<void> {
  const { verb, flags, help } = parseCommand(process.argv.slice(2))
  switch (verb) {
    case 'up': {
      // Loaded here, so that `down` works even where a part of `up` cannot be loaded.
      const { upSteps } = await import('./up.ts')
      const only = flags.has('cluster-only')
      const steps = await upSteps(only)
      await withLock(() => runSteps(steps, terminal, interrupted.signal))
      if (!only) for (const line of await announce()) console.log(line)
      return
    }
    case 'destroy': {
      const { destroySteps } = await import('./destroy.ts')
      await withLock(() => runSteps(destroySteps(), terminal, interrupted.signal))
      return
    }
    case 'down':
      await withLock(() =>
        runSteps(
          downSteps({ purge: flags.has('purge'), keep: flags.has('keep') }),
          terminal,
          interrupted.signal,
        ),
      )
      return
    case 'help':
      console.log(help)
  }
}

try {
  await main()
} catch (error) {
  // A failed step has told its cause and remedy already.
  if (!(error instanceof StepFailed)) console.error(explain(error))
  const isMisuse = error instanceof LocalError && error.code === 'ERR_USAGE'
  process.exitCode = interrupted.signal.aborted ? 130 : isMisuse ? 2 : 1
}
