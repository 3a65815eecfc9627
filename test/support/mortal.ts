import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './child.ts'
import { isListening } from './machine.ts'

export interface MortalWish {
  /** A file of this directory that runs the program. */
  readonly program: string
  readonly env: Readonly<Record<string, string>>
  readonly logPath: string
  /** Listens there when it serves; the same one after each start. */
  readonly port: number
}

/** A process that is killed and started again under the same name and port, and whose log goes on in one file. */
export class Mortal {
  readonly #wish: MortalWish
  #process: ChildProcess | undefined
  readonly #onExit = () => this.#process?.kill('SIGKILL')

  constructor(wish: MortalWish) {
    this.#wish = wish
    process.once('exit', this.#onExit)
  }

  get port(): number {
    return this.#wish.port
  }

  get pid(): number {
    return this.#process?.pid ?? -1
  }

  start(): void {
    const { program, env, logPath } = this.#wish
    // The process writes to the file itself: what it wrote before a SIGKILL is there, as in a container's log.
    const log = openSync(logPath, 'a')
    this.#process = spawn(process.execPath, [join(import.meta.dirname, program)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
  }

  async serving(): Promise<void> {
    await until(`${this.#wish.program} to listen`, 60_000, async () => {
      if (this.#hasEnded()) throw new Error(`it ended:\n${(await this.log()).slice(-2_000)}`)
      return isListening(this.#wish.port)
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** SIGKILL: nothing is closed, said or written any more. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    const last = setTimeout(() => this.signal('SIGKILL'), 15_000)
    this.signal('SIGCONT')
    await this.#end('SIGTERM')
    clearTimeout(last)
    process.off('exit', this.#onExit)
  }

  log(): Promise<string> {
    return readFile(this.#wish.logPath, 'utf8')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const process = this.#process
    if (!process || this.#hasEnded()) return
    const ended = once(process, 'exit')
    process.kill(signal)
    await ended
  }

  #hasEnded(): boolean {
    const { exitCode, signalCode } = this.#process ?? {}
    return this.#process !== undefined && (exitCode !== null || signalCode !== null)
  }
}
