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
  return { pid: child.pid ?? -1, ended }
}

/** `make up`, `make destroy`: to its end. */
export const runCommand = (...args: readonly string[]): Promise<CommandRun> => start(...args).ended

/**
 * Kills a command in the middle, either its process group, which leaves the engine to end by itself, or that and all
 * that descends from it, as when memory runs out. Answers what it had said by then; a command that was done before its
 * moment came has the exit code that it gave itself.
 */
export async function killCommand(
  args: readonly string[],
  afterMs: number,
  all: boolean,
): Promise<CommandRun> {
  const { pid, ended } = start(...args)
  const first = await Promise.race([sleep(afterMs, 'its moment' as const), ended])
  if (first !== 'its moment') return first
  const processes = processTree(pid)
  process.kill(-pid, 'SIGKILL')
  if (all) {
    for (const one of stillRunning(processes)) process.kill(one.pid, 'SIGKILL')
  }
  return ended
}
