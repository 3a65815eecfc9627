import type { FastifyBaseLogger } from 'fastify'
import type { DatabaseMetrics } from '../store/connections.ts'
import { PostgresStore } from '../store/postgres-store.ts'
import { refuseUnfitRole } from '../startup-checks.ts'
import { prepareByUrl, prepareOwnServer, type Logins } from './database.ts'
import { startPostgresServer } from './postgres-server.ts'

export interface OpenDatabase {
  readonly store: PostgresStore
  /** See `Logins.sealer`. */
  readonly sealer: Logins['sealer']
  /** Ends the server, where it is ours. */
  stop(): Promise<void>
}

/** The database of DATABASE_URL. It needs no file, so that one that turns us away leaves none. */
export async function openByUrl(url: string, metrics: DatabaseMetrics): Promise<OpenDatabase> {
  return { ...(await open(await prepareByUrl(url), metrics)), stop: () => Promise.resolve() }
}

/** A server of our own, with its files below `directory`. */
export async function openOwn(
  directory: string,
  password: string,
  log: FastifyBaseLogger,
  metrics: DatabaseMetrics,
): Promise<OpenDatabase> {
  const server = await startPostgresServer(directory, password, log)
  const opened = await open(await prepareOwnServer(server.superuser), metrics)
  return { ...opened, stop: () => server.stop() }
}

async function open({ app, sealer }: Logins, metrics: DatabaseMetrics) {
  const store = new PostgresStore(app, metrics)
  await refuseUnfitRole(store)
  return { store, sealer }
}
