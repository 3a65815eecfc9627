import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

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

/** Below those that the kernel gives to whoever wants any: none of these is given away before it is used. */
const PORTS = [12_000, 30_000] as const

async function listenSomewhere(): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const server = createServer().listen(randomInt(...PORTS), '127.0.0.1')
    try {
      await once(server, 'listening')
      return server
    } catch (error) {
      if (attempt === 100) throw error
    }
  }
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listenSomewhere))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

/** No server of a test needs as long for an answer: one that hangs is named by whoever asks it. */
export const inTime = (): AbortSignal => AbortSignal.timeout(30_000)

/** However late it is, a look may take this long. */
const LOOK_MS = 10_000

export async function until(
  what: string,
  limitMs: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const end = Date.now() + limitMs
  const late = new Error(`${what} did not hold within ${limitMs / 1000} s`)
  for (;;) {
    const looked = new AbortController()
    const tooLong = pause(Math.max(end - Date.now(), LOOK_MS), late, { signal: looked.signal })
    const seen = await Promise.race([holds(), tooLong]).finally(() => looked.abort())
    if (seen === true) return
    if (seen === late || Date.now() > end) throw late
    await pause(50)
  }
}
