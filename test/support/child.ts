import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface Child {
  readonly pid: number
  readonly logPath: string
  /** Throws with the end of the log when the process has ended by itself. */
  assertRunning(): Promise<void>
  stop(): Promise<void>
}

/** A process of a test; its output goes to a file, so that it never blocks on a full pipe. */
export function startChild(
  command: string,
  args: readonly string[],
  logPath: string,
  env: Readonly<Record<string, string>> = {},
): Child {
  const log = createWriteStream(logPath)
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  // A test run that is killed must not leave servers behind.
  const onExit = () => child.kill('SIGKILL')
  process.once('exit', onExit)
  return {
    pid: child.pid ?? -1,
    logPath,
    async assertRunning() {
      if (!hasEnded(child)) return
      const tail = (await readFile(logPath, 'utf8')).split('\n').slice(-20).join('\n')
      throw new Error(
        `${command} ended with ${String(child.exitCode ?? child.signalCode)}:\n${tail}`,
      )
    },
    async stop() {
      process.off('exit', onExit)
      if (hasEnded(child)) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(timer)
      log.end()
    },
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

export async function until(
  what: string,
  limitMs: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not hold within ${limitMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
