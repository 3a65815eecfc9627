import type pg from 'pg'
import { assertNotBehind, BehindCheckpoint } from './outside.ts'
import { askPlaces, assertConfirmed, type Asked, type Remembered } from './places.ts'
import type { CheckpointSigner, CheckpointSink } from './ports.ts'
import { reportAway, type Publisher, type PublisherDeps } from './publisher.ts'
import { Recovery, type RecoveryDeps } from './recovery.ts'

/** The database against what is remembered outside of it; the publisher is told which places agree. */
export class Comparison {
  readonly #deps: PublisherDeps & RecoveryDeps
  readonly #publisher: Publisher
  #known: string | undefined

  constructor(deps: PublisherDeps & RecoveryDeps, publisher: Publisher) {
    this.#deps = deps
    this.#publisher = publisher
  }

  /** The newest checkpoint that is known to be in the log for good: compared, or sealed and confirmed. */
  get known(): string | undefined {
    return this.#known
  }

  sealed(checkpoint: string): void {
    this.#known = checkpoint
  }

  /**
   * With one place away the other is enough, if it remembers anything; the missing one is compared when it is back. What
   * this database was once found to be behind counts like a place, as does what this process itself has sealed: places
   * that are silent now, or have not heard of it yet, change nothing.
   */
  async withAll(client: pg.Client, signers: readonly CheckpointSigner[]): Promise<void> {
    const asked = await askPlaces(this.#deps.sinks)
    this.#publisher.agreeWith([])
    for (const { sink, cause } of asked.silent) reportAway(sink, cause, this.#deps)
    const recovery = new Recovery(client, this.#deps, signers)
    const remembered = [
      ...(await recovery.remembered()),
      { name: 'this sealer', newest: async () => this.#known },
    ]
    const compare = () => this.#compare(client, signers, asked, remembered)
    let newest: string | null
    try {
      newest = await compare()
    } catch (error) {
      // Two people give up what they know of: a place that is silent may remember more.
      const isKnown = asked.silent.length === 0
      if (!(error instanceof BehindCheckpoint) || !(await recovery.open(error.gap, isKnown))) {
        throw error
      }
      newest = await compare()
    }
    this.#known = newest ?? undefined
    await recovery.done()
  }

  /** With what places told by themselves. */
  async withAnswers(
    client: pg.Client,
    signers: readonly CheckpointSigner[],
    answers: readonly Remembered[],
  ): Promise<void> {
    await this.#compare(client, signers, { answers, silent: [] }, [])
  }

  async #compare(
    client: pg.Client,
    signers: readonly CheckpointSigner[],
    asked: Asked,
    remembered: readonly Pick<CheckpointSink, 'name' | 'newest'>[],
  ): Promise<string | null> {
    const { answers } = asked
    const told = answers.map(({ sink, note }) => ({ name: sink.name, newest: async () => note }))
    const newest = await assertNotBehind(client, [...told, ...remembered], signers)
    assertConfirmed(asked)
    const sinks = answers.map(({ sink }) => sink)
    this.#publisher.agreeWith(sinks, sinks)
    this.#publisher.judgeEmpty(answers, newest === null)
    if (newest !== null) this.#publisher.offer(newest)
    return newest
  }
}
