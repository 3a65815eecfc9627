import { startOperator, type OperatorProcess } from './operator-process.ts'
import type { RotationWorld } from './rotation-world.ts'

/** The operators of one test, one after another under the same name, as a Pod that is replaced. */
export class RunningOperators {
  readonly #running = new Set<OperatorProcess>()

  /** Looks at a resource when it changed and not by itself; dies or stops where the failpoint says. */
  async start(world: RotationWorld, failpoint?: string): Promise<OperatorProcess> {
    const env = failpoint === undefined ? {} : { PALISADE_FAILPOINT: failpoint }
    const started = await startOperator(world, 'one', { PALISADE_RESYNC: '1h', ...env })
    this.#running.add(started)
    return started
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((each) => each.stop()))
    this.#running.clear()
  }
}
