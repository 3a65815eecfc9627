import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processTree, stillRunning } from './machine.ts'

const MAIN = join(import.meta.dirname, '../../local/main.ts')

export interface CommandRun {
  readonly code: number | null
  readonly text: string
  readonly seconds: number
}

function start(...args: readonly string[]) {
  const begun = performance.now()
  // A process group of its own, so that all of it can be killed and nothing of the test's.
  const child = spawn(process.execPath, [MAIN, ...args], { detached: true })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  }
  const ended = new Promise<CommandRun>((resolve) =>
    child.on('close', (code) =>
      resolve({ code, text, seconds: (performance.now() - begun) / 1000 }),
    ),
  )
  return { pid: child.pid ?? -1, said: () => text, ended }
}

/** `make up`, `make destroy`: to its end. */
export const runCommand = (...args: readonly string[]): Promise<CommandRun> => start(...args).ended

/** When to kill; it is told when the command has ended without. */
export type Moment = (over: AbortSignal) => Promise<unknown>

export const afterMs =
  (ms: number): Moment =>
  (over) =>
    sleep(ms, undefined, { signal: over })

/**
 * Kills a command in the middle, either its process group, which leaves the engine to end by itself, or that and all
 * that descends from it, as when memory runs out. Answers what it had said by then; a command that was done before its
 * moment came has the exit code that it gave itself.
 */
export async function killCommand(
  args: readonly string[],
  moment: Moment,
  all: boolean,
): Promise<CommandRun> {
  const { pid, said, ended } = start(...args)
  const over = new AbortController()
  const come = moment(over.signal).then(() => 'its moment' as const)
  const first = await Promise.race([come, ended])
  over.abort()
  if (first !== 'its moment') return first
  const [text, processes] = [said(), processTree(pid)]
  process.kill(-pid, 'SIGKILL')
  if (all) {
    for (const one of stillRunning(processes)) process.kill(one.pid, 'SIGKILL')
  }
  // What it left running may yet tell of its own end.
  return { ...(await ended), text }
}
