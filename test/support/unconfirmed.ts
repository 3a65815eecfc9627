import { setTimeout as pause } from 'node:timers/promises'
import { until } from './child.ts'
import type { TestPostgres } from './postgres.ts'

type Server = Pick<TestPostgres, 'query'>

const COMMIT = `select pg_logical_emit_message(true, 'probe', '')`
const CANCEL = `select pg_cancel_backend(pid) from pg_stat_activity
  where wait_event = 'SyncRep' and query = $1`

/** While `act` runs, each commit on the server waits for a standby that does not exist. */
export async function unconfirmed<T>(db: Server, act: () => Promise<T>): Promise<T> {
  const reload = () => db.query('select pg_reload_conf()')
  await db.query(`alter system set synchronous_standby_names = 'nobody'`)
  try {
    await reload()
    // The checkpointer tells the other processes, whenever it comes to that.
    await until('a commit that waits', 30_000, () => commitWaits(db))
    return await act()
  } finally {
    await db.query('alter system reset synchronous_standby_names')
    await reload()
  }
}

async function commitWaits(db: Server): Promise<boolean> {
  let [ended, waited] = [false, false]
  const commit = db.query(COMMIT).finally(() => (ended = true))
  commit.catch(() => undefined)
  while (!ended) {
    const cancelled = await db.query(CANCEL, [COMMIT])
    waited ||= cancelled.length > 0
    await pause(20)
  }
  await commit
  return waited
}
