import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { MeasuredDatabase, startSealer } from '../../test/support/measured-database.ts'
import { cpuMicros } from './cpu.ts'
import { type Append, atRate, type Part, saturate } from './load.ts'
import { recordMaker } from './make-log.ts'

/** Connections of a replica of the gateway. */
const POOL = 16

/** Per record. Processor time means the same on a busy machine, where records/s do not. */
export interface Costs {
  readonly fsyncs: number
  readonly walBytes: number
  readonly gatewayCpu: number
  readonly postgresCpu: number
  readonly sealerCpu: number
}

export interface Sealing {
  /** Milliseconds from the insert of a record to its seal. */
  readonly sealP99: number
}

type Totals = Readonly<Record<keyof Costs, number>> & { readonly at: Date }

/** The gateway's writer and store in this process, PostgreSQL and the sealer in theirs, all with what they ship with. */
export class Palisade {
  readonly measured: MeasuredDatabase
  /** Records of the gateway's own writer. */
  readonly record = recordMaker({ id: 'bench', secret: randomBytes(32) })
  readonly #sealer: ChildProcess

  private constructor(measured: MeasuredDatabase, sealer: ChildProcess) {
    this.measured = measured
    this.#sealer = sealer
  }

  static async start(): Promise<Palisade> {
    const measured = await MeasuredDatabase.start()
    const { privateKey } = generateKeyPairSync('ed25519')
    const sealer = startSealer({
      database: measured.database.sealer,
      checkpointFile: join(measured.directory, '..', 'checkpoint', 'newest'),
      log: 'palisade.dev/audit/bench',
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      timing: { idleMs: 100, publishEveryMs: 1_000 },
    })
    return new Palisade(measured, sealer)
  }

  async stop(): Promise<void> {
    this.#sealer.kill('SIGTERM')
    await once(this.#sealer, 'exit')
    await this.measured.database.stop()
  }

  /** The gateway's, with as many connections as a replica may have. */
  makeStore(onConnect = () => {}): PostgresStore {
    return new PostgresStore({ ...this.measured.database.app, max: POOL, onConnect })
  }

  settings(): Promise<Readonly<Record<string, string>>> {
    return this.measured.settings()
  }

  /** Records of the gateway's own writer through the gateway's own store, as fast as `writers` can. */
  full(writers: number, seconds: number): Promise<Part & Costs & Sealing> {
    return this.#counted((append) => saturate(append, writers, seconds))
  }

  steady(perSecond: number, seconds: number): Promise<Part & Costs & Sealing> {
    return this.#counted((append) => atRate(append, perSecond, seconds))
  }

  async #counted(run: (append: Append) => Promise<Part>): Promise<Part & Costs & Sealing> {
    const [part, before] = await this.#withStore(async (store, begun) => [
      await run(async (index) => store.appendAudit(null, await this.record(index))),
      begun,
    ])
    await this.measured.sealed()
    const after = await this.#totals()
    const per = (cost: keyof Costs) => (after[cost] - before[cost]) / part.records
    return {
      ...part,
      fsyncs: per('fsyncs'),
      walBytes: per('walBytes'),
      gatewayCpu: per('gatewayCpu'),
      postgresCpu: per('postgresCpu'),
      sealerCpu: per('sealerCpu'),
      sealP99: await this.measured.sealLag(before.at),
    }
  }

  /**
   * Each part has a pool of its own, whose connections are there before it begins. A connection tells what it did at
   * most once a second: the second touch, later than that, leaves nothing for the part to be charged with.
   */
  async #withStore<T>(use: (store: PostgresStore, begun: Totals) => Promise<T>): Promise<T> {
    const store = this.makeStore()
    try {
      for (const seconds of [0.5, 0.01]) {
        await saturate(async (i) => store.appendAudit(null, await this.record(i)), POOL, seconds)
        await pause(1_100)
      }
      await this.measured.sealed()
      return await use(store, await this.#totals())
    } finally {
      await store.close()
    }
  }

  async #totals(): Promise<Totals> {
    await pause(1_200) // so that everybody has told
    const { user, system } = process.cpuUsage()
    return {
      ...(await this.measured.counted()),
      gatewayCpu: user + system,
      postgresCpu: await cpuMicros(this.measured.postmaster),
      sealerCpu: await cpuMicros(this.#sealer.pid ?? 0),
    }
  }
}
