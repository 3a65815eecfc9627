import pg from 'pg'
import { isCancelledWait, leavesConnectionUnusable, outcomeUnknown, storeError } from './outcome.ts'
import { STATEMENTS, type StatementName } from './statements.ts'

export type StoreOptions = pg.PoolConfig

/** What is measured of the database, under names that dashboards use. */
export interface DatabaseMetrics {
  readonly databaseQueries: {
    startTimer(labels: { operation: StatementName }): () => void
  }
  readonly databaseConnectionErrors: { inc(): void }
}

/** A pool that runs the listed statements, prepared, and turns every failure into one of the catalogue. */
export class Connections {
  readonly #pool: pg.Pool
  readonly #metrics: DatabaseMetrics | undefined
  /** Connections whose last commit was not confirmed by the standby. */
  readonly #unconfirmed = new WeakSet<pg.ClientBase>()

  constructor(options: StoreOptions, metrics?: DatabaseMetrics) {
    this.#metrics = metrics
    this.#pool = new pg.Pool({
      application_name: 'palisade-gateway',
      max: 16,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 60_000,
      statement_timeout: 10_000,
      // A server that vanished cancels nothing: without this each connection would wait for TCP to give up, 15 minutes.
      query_timeout: 12_000,
      keepAlive: true,
      ...options,
    })
    // An idle connection that breaks is replaced at its next use; unheard, its error would end the process.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => {
      // The pool listens to idle ones alone. One that breaks under a statement fails the statement, and then tells it
      // once more as an event: unheard, a database that crashes would end every replica.
      client.on('error', () => undefined)
      client.on('notice', (notice) => {
        if (isCancelledWait(notice)) this.#unconfirmed.add(client)
      })
    })
  }

  async run<Row extends pg.QueryResultRow>(
    name: StatementName,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    const done = this.#metrics?.databaseQueries.startTimer({ operation: name })
    try {
      return await this.#run<Row>(name, values)
    } finally {
      done?.()
    }
  }

  async #run<Row extends pg.QueryResultRow>(
    name: StatementName,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    const client = await this.#connect()
    try {
      const { rows } = await client.query<Row>({
        name,
        text: STATEMENTS[name],
        values: [...values],
      })
      if (this.#unconfirmed.has(client)) throw outcomeUnknown()
      client.release()
      return rows
    } catch (error) {
      // Not given back when in doubt: most errors of the server leave a connection usable, anything else does not.
      const isBroken = leavesConnectionUnusable(error)
      client.release(isBroken)
      if (isBroken) this.#metrics?.databaseConnectionErrors.inc()
      throw storeError(error, true)
    }
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (error) {
      this.#metrics?.databaseConnectionErrors.inc()
      throw storeError(error, false)
    }
  }
}
