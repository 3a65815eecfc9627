import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Component } from '../spec.ts'

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 15_000
/** A component that lived this long starts again without delay. */
const HEALTHY_MS = 60_000
const STOP_MS = 6_000
const ROTATE_BYTES = 50 * 1024 * 1024

export type IsReady = (urls: readonly string[]) => Promise<boolean>

/** Starts components when what they need is there, and starts them again when they end. */
export class Supervisor {
  readonly #logs: string
  readonly #isReady: IsReady
  readonly #say: (text: string) => void
  readonly #running = new Map<string, ChildProcess>()
  #components: readonly Component[] = []
  #stopping = false

  constructor(logs: string, isReady: IsReady, say: (text: string) => void) {
    this.#logs = logs
    this.#isReady = isReady
    this.#say = say
  }

  /** Resolves when `stop` was called and every component has ended. */
  async run(components: readonly Component[]): Promise<void> {
    this.#components = components
    const ready = new Map<string, Promise<void>>()
    const lives: Promise<void>[] = []
    for (const component of components) {
      let announce = (): void => {}
      ready.set(component.name, new Promise<void>((resolve) => (announce = resolve)))
      const needs = (component.needs ?? []).map((name) => ready.get(name) ?? Promise.resolve())
      lives.push(this.#live(component, Promise.all(needs), announce))
    }
    await Promise.all(lives)
  }

  /**
   * What needs another ends before it: etcd outlives the API server that writes to it. `ended` is awaited before
   * what the component had needed is asked to end.
   */
  async stop(ended: (name: string) => Promise<void> = async () => {}): Promise<void> {
    this.#stopping = true
    const stopped = new Map<string, Promise<void>>()
    for (const component of [...this.#components].reverse()) {
      const dependents = this.#components.filter((other) => other.needs?.includes(component.name))
      const before = dependents.map((one) => stopped.get(one.name) ?? Promise.resolve())
      stopped.set(
        component.name,
        Promise.all(before)
          .then(() => this.#end(component.name))
          .then(() => ended(component.name)),
      )
    }
    await Promise.all(stopped.values())
  }

  async #end(name: string): Promise<void> {
    const begun = Date.now()
    this.#running.get(name)?.kill('SIGTERM')
    while (this.#running.has(name) && Date.now() - begun < STOP_MS) await sleep(50)
    const late = this.#running.get(name)
    late?.kill('SIGKILL')
    this.#say(`${name} ${late ? 'killed' : 'stopped'} after ${Date.now() - begun} ms`)
  }

  async #live(component: Component, needs: Promise<unknown>, announce: () => void): Promise<void> {
    await Promise.race([needs, this.#stopped()])
    await this.#waitForFiles(component.files ?? [])
    let delay = FIRST_DELAY_MS
    while (!this.#stopping) {
      const begun = Date.now()
      const ended = this.#start(component)
      void this.#announceWhenReady(component, announce)
      const outcome = await ended
      if (this.#stopping) return
      delay =
        Date.now() - begun > HEALTHY_MS ? FIRST_DELAY_MS : Math.min(delay * 2, LONGEST_DELAY_MS)
      this.#say(`${component.name} ended (${outcome}); starts again in ${delay} ms`)
      await sleep(delay)
    }
  }

  #start(component: Component): Promise<string> {
    const log = openLog(join(this.#logs, `${component.name}.log`))
    const [program = '', ...args] = component.argv
    const child = spawn(program, args, { stdio: ['ignore', log, log] })
    closeSync(log)
    this.#running.set(component.name, child)
    this.#say(`${component.name} started`)
    return new Promise((resolve) => {
      const end = (outcome: string): void => {
        this.#running.delete(component.name)
        resolve(outcome)
      }
      child.once('error', (error) => end(error.message))
      child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  async #announceWhenReady(component: Component, announce: () => void): Promise<void> {
    while (!this.#stopping && component.ready && !(await this.#isReady(component.ready))) {
      await sleep(200)
    }
    announce()
  }

  async #waitForFiles(files: readonly string[]): Promise<void> {
    for (const file of files) while (!this.#stopping && !(await exists(file))) await sleep(300)
  }

  async #stopped(): Promise<void> {
    while (!this.#stopping) await sleep(500)
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** One older log is kept; the limit is checked when a component starts. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > ROTATE_BYTES) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}
