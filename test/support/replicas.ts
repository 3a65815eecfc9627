import { setTimeout as sleep } from 'node:timers/promises'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import type { RotationWorld } from './rotation-world.ts'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/palisade-system/leases/palisade-operator'

/** Two replicas, as in production: one leads, the other is warm and waits. Whoever ends is replaced. */
export class Replicas {
  readonly #world: RotationWorld
  readonly #env: Readonly<Record<string, string>>
  readonly #started: OperatorProcess[] = []
  #running: OperatorProcess[] = []

  constructor(world: RotationWorld, env: Readonly<Record<string, string>> = {}) {
    this.#world = world
    this.#env = env
  }

  /** The one that holds the lease now. */
  async leader(): Promise<OperatorProcess> {
    await this.#fill()
    const end = Date.now() + 60_000
    for (;;) {
      const holder = await this.holder()
      const leader = this.#running.find(({ identity }) => identity === holder)
      if (leader) return leader
      const dead = this.#started.some(
        ({ identity, process }) => identity === holder && !isAlive(process),
      )
      if (dead) await this.#world.api.ask('DELETE', LEASE)
      if (Date.now() > end) throw new Error(`no replica leads:\n${this.output()}`)
      await sleep(50)
    }
  }

  /** Under whose name the lease stands, who may be dead. */
  async holder(): Promise<string | undefined> {
    const { body } = await this.#world.api.get(LEASE)
    return (body['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity
  }

  /** The one that waits while this one leads. */
  async beside(leader: OperatorProcess): Promise<OperatorProcess> {
    await this.#fill()
    const heir = this.#running.find((each) => each !== leader)
    if (!heir) throw new Error('nobody waits')
    return heir
  }

  /**
   * Lets the one that waits lead in place of one that was killed or stopped, and starts the next to wait. The lease
   * of a dead process would be waited for; taking it away is what its 15 s would do.
   */
  async succeed(former: OperatorProcess): Promise<void> {
    this.#running = this.#running.filter((each) => each !== former)
    await this.#world.api.ask('DELETE', LEASE)
    await this.#fill()
  }

  /** No failpoint of a case that failed is left for the next. */
  async disarm(): Promise<void> {
    await Promise.all(this.#running.map((each) => each.arm('')))
  }

  /** What the last replicas wrote: the victim, its heir and the one that waits. */
  output(): string {
    const texts = this.#started.map((each) => `--- ${each.identity}\n${each.output()}`)
    return texts.slice(-3).join('\n')
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((each) => each.stop()))
  }

  async #fill(): Promise<void> {
    this.#running = this.#running.filter(({ process }) => isAlive(process))
    while (this.#running.length < 2) {
      const started = await startOperator(this.#world, `operator-${this.#started.length + 1}`, {
        // What a rotation needs at once comes by the watch; routine passes would only blur what a crash leaves.
        PALISADE_RESYNC: '1h',
        // The one that waits comes to lead so often that every wait of it counts.
        PALISADE_LEASE_RETRY: '100ms',
        PALISADE_POLL: '100ms',
        ...this.#env,
      })
      this.#started.push(started)
      this.#running.push(started)
    }
  }
}

const isAlive = ({ exitCode, signalCode }: OperatorProcess['process']) =>
  exitCode === null && signalCode === null
