import { enableCompileCache } from 'node:module'
import { LocalError } from '../errors.ts'
import { compiledDir } from '../paths.ts'
import type { FromChild, ToChild } from './messages.ts'
import type { Progress } from './progress.ts'
import { startProvider } from './provider-process.ts'
import type { StackRequest } from './request.ts'

// For what is imported below, once the provider has been started beside it.
enableCompileCache(compiledDir())

/** One run of the engine, apart from its caller: the program is loaded fresh and may end the process. */
const stopping = new AbortController()
const LATE = 'timeout'

const send = (message: FromChild): void => {
  if (process.connected) process.send?.(message)
}

function failure(error: unknown): FromChild {
  if (error instanceof LocalError) {
    return { kind: 'failed', code: error.code, detail: error.message, remedy: error.remedy }
  }
  const detail = error instanceof Error ? error.message : String(error)
  const again = 'run the command again: it goes on from what is there'
  if (!stopping.signal.aborted) {
    return {
      kind: 'failed',
      code: 'ERR_STACK',
      detail,
      remedy: `correct what is named and ${again}`,
    }
  }
  const late = stopping.signal.reason === LATE
  const code = late ? 'ERR_STACK_TIMEOUT' : 'ERR_STACK_INTERRUPTED'
  return { kind: 'failed', code, detail, remedy: again }
}

async function run(request: StackRequest): Promise<void> {
  const timer = setTimeout(() => stopping.abort(LATE), request.timeoutSeconds * 1000)
  const reporter = {
    progress: (progress: Progress) => send({ kind: 'progress', progress }),
    say: (line: string) => send({ kind: 'say', line }),
  }
  const provider = startProvider(request)
  provider.catch(() => {})
  try {
    const { runEngine } = await import('./engine-run.ts')
    const outcome = await runEngine(request, provider, reporter, stopping.signal)
    send({ kind: 'done', outcome })
  } catch (error) {
    send(failure(error))
  } finally {
    clearTimeout(timer)
    // The SDK keeps a server open until the program's last resource is settled; a failed run never settles.
    if (process.connected) process.disconnect()
    process.exit()
  }
}

process.on('message', (message: ToChild) => {
  if (message.kind === 'stop') stopping.abort()
  else void run(message.request)
})
// Our caller was killed: end the engine in order, so that its state is whole.
process.on('disconnect', () => stopping.abort())
