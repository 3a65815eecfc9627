import { fork } from 'node:child_process'
import { join } from 'node:path'
import { environment } from '../environment.ts'
import { LocalError } from '../errors.ts'
import type { Outcome } from './engine-run.ts'
import type { FromChild, ToChild } from './messages.ts'
import type { Progress } from './progress.ts'
import { completeRequest, type StackWish } from './request.ts'

export type { Outcome } from './engine-run.ts'
export { formatProgress, type Progress } from './progress.ts'
export type { Operation, StackWish } from './request.ts'

export interface RunOptions {
  readonly onProgress?: (progress: Progress) => void
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal
}

const CHILD = join(import.meta.dirname, 'child.ts')

/**
 * Runs the stack's program through the engine: up, preview, refresh, destroy, outputs.
 * Aborting the signal ends the engine in order; a second run goes on from what is there.
 */
export async function runStack(wish: StackWish, options: RunOptions = {}): Promise<Outcome> {
  const request = completeRequest(wish)
  // A group of its own: Ctrl-C reaches the engine once, through us, and not a second time as "terminate now".
  const [execPath, ...execArgv] = [...(request.within ?? []), process.execPath]
  const child = fork(CHILD, [], {
    execPath,
    execArgv,
    detached: true,
    env: environment(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const send = (message: ToChild): void => {
    if (child.connected) child.send(message)
  }
  const stop = (): void => send({ kind: 'stop' })
  options.signal?.addEventListener('abort', stop)
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      child.on('message', (message: FromChild) => {
        switch (message.kind) {
          case 'progress':
            return options.onProgress?.(message.progress)
          case 'say':
            return options.onLine?.(message.line)
          case 'done':
            return resolve(message.outcome)
          case 'failed':
            return reject(new LocalError(message.code, message.detail, message.remedy))
        }
      })
      child.on('error', reject)
      child.on('exit', (code, killer) => {
        reject(
          new LocalError(
            'ERR_STACK_ENDED',
            `the run of the engine ended early (${String(killer ?? code)})`,
            'run the command again: it repairs what was begun',
          ),
        )
      })
      send({ kind: 'run', request })
    })
  } finally {
    options.signal?.removeEventListener('abort', stop)
  }
}
