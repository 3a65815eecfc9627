import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { dirname, join } from 'node:path'
import { environment } from '../environment.ts'
import { LocalError } from '../errors.ts'
import { compiledDir } from '../paths.ts'
import type { StackRequest } from './request.ts'

const MAIN = join(import.meta.dirname, '../provider/main.ts')
const START_TIMEOUT_MS = 30_000

export interface ProviderProcess {
  readonly port: number
  stop(): void
}

/** Starts the Kubernetes provider for one run; it ends with its standard input, even if we are killed. */
export async function startProvider(request: StackRequest): Promise<ProviderProcess> {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment(undefined, {
      KUBECONFIG: request.kubeconfig,
      NODE_COMPILE_CACHE: compiledDir(),
      PALISADE_HELM: request.helm,
      PALISADE_PROGRAM_DIRECTORY: dirname(request.program),
    }),
  })
  const stop = (): void => {
    child.stdin.end()
  }
  const lines = createInterface({ input: child.stdout })
  const started = new AbortController()
  const timer = setTimeout(() => started.abort(), START_TIMEOUT_MS)
  try {
    const first = once(lines, 'line', { signal: started.signal }) as Promise<[string]>
    const ended = once(child, 'exit', { signal: started.signal }).then(() => undefined)
    const line = await Promise.race([first.then(([text]) => text), ended])
    const port = Number(line)
    if (Number.isInteger(port) && port > 0) return { port, stop }
  } catch (error) {
    if (!started.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
    started.abort()
  }
  child.kill('SIGKILL')
  throw new LocalError(
    'ERR_PROVIDER_START',
    'the Kubernetes provider did not start',
    'its words are above; correct what they name and run the command again',
  )
}
