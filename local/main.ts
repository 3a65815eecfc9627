// `make up`, `make destroy`, `make down`: the whole platform on this machine.
import { parseArgs } from 'node:util'
import { announce } from './answer.ts'
import { downSteps } from './down.ts'
import { explain } from './errors.ts'
import { withLock } from './lock.ts'
import { runSteps, StepFailed, type Terminal } from './steps.ts'

const USAGE = 'usage: node local/main.ts up [--cluster-only] | destroy | down [--purge] [--keep]'

const terminal: Terminal = { line: (text) => console.log(text), now: () => performance.now() }
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      'cluster-only': { type: 'boolean', default: false },
      purge: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  })
  switch (positionals[0]) {
    case 'up': {
      // Loaded here, so that `down` works even where a part of `up` cannot be loaded.
      const { upSteps } = await import('./up.ts')
      const only = values['cluster-only']
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
      await withLock(() => runSteps(downSteps(values), terminal, interrupted.signal))
      return
    default:
      throw new Error(USAGE)
  }
}

try {
  await main()
} catch (error) {
  // A failed step has told its cause and remedy already.
  if (!(error instanceof StepFailed)) console.error(explain(error))
  process.exitCode = interrupted.signal.aborted ? 130 : 1
}
