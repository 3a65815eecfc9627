import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startPalisadeDatabase, type PalisadeDatabase } from './postgres.ts'
import { platformSettings } from './platform-settings.ts'
import type { SealerWorld } from './sealer-process.ts'

/** What the server counted since its start, and when it was asked. */
export interface Counted {
  /** Of the write-ahead log. */
  readonly fsyncs: number
  readonly walBytes: number
  readonly at: Date
}

const SETTINGS = [
  ...['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'server_version'],
  ...[
    'wal_level',
    'wal_compression',
    'min_wal_size',
    'max_wal_size',
    'checkpoint_timeout',
    'shared_buffers',
  ],
]

type Disturbance =
  'checkpoints' | 'checkpointPages' | 'fullPages' | 'walFiles' | 'autovacuums' | 'batches'

/** A database with Palisade's schema of which is asked what its work cost. */
export class MeasuredDatabase {
  readonly database: PalisadeDatabase
  readonly directory: string
  readonly postmaster: number

  private constructor(database: PalisadeDatabase, directory: string, postmaster: number) {
    this.database = database
    this.directory = directory
    this.postmaster = postmaster
  }

  static async start(): Promise<MeasuredDatabase> {
    // PostgreSQL's own default, which the platform leaves alone; servers of tests are smaller.
    const settings = { ...platformSettings(), shared_buffers: '128MB', fsync: 'on' }
    const database = await startPalisadeDatabase({ settings })
    const [row] = await database.query<{ data_directory: string }>('show data_directory')
    const directory = row?.data_directory ?? ''
    const [pid] = (await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')
    await age(database)
    return new MeasuredDatabase(database, directory, Number(pid))
  }

  /** What decides whether a commit is durable and how long it takes, and the version. */
  async settings(): Promise<Readonly<Record<string, string>>> {
    const rows = await this.database.query<{ name: string; setting: string }>(
      `select name, current_setting(name) as setting from pg_settings where name = any ($1)`,
      [SETTINGS],
    )
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
  }

  async sealed(): Promise<void> {
    for (;;) {
      const [row] = await this.database.query('select from palisade.audit_pending limit 1')
      if (!row) return
      await pause(50)
    }
  }

  /** A connection tells what it did when it ends, and about once a second while it works. */
  async counted(): Promise<Counted> {
    const [row] = await this.database.query<{ fsyncs: string; wal: string; at: Date }>(
      `select (select coalesce(sum(fsyncs), 0) from pg_stat_io where object = 'wal') as fsyncs,
         pg_current_wal_lsn() - '0/0'::pg_lsn as wal, clock_timestamp() as at`,
    )
    return {
      fsyncs: Number(row?.fsyncs),
      walBytes: Number(row?.wal),
      at: row?.at ?? new Date(),
    }
  }

  /** What the server did on its own account since its start, and what a request may have had to wait for. */
  async disturbances(): Promise<Readonly<Record<Disturbance, number>>> {
    const [row] = await this.database.query<Record<string, string>>(
      `select c.num_timed + c.num_requested as checkpoints, c.buffers_written as pages, w.wal_fpi as full_pages,
         (select coalesce(sum(autovacuum_count + autoanalyze_count), 0) from pg_stat_all_tables) as autovacuums,
         (select sum(fsyncs) from pg_stat_io where object = 'wal' and context = 'init') as files,
         (select count(*) from palisade.audit_batches) as batches
       from pg_stat_checkpointer c, pg_stat_wal w`,
    )
    const of = (column: string) => Number(row?.[column])
    return {
      checkpoints: of('checkpoints'),
      checkpointPages: of('pages'),
      fullPages: of('full_pages'),
      walFiles: of('files'),
      autovacuums: of('autovacuums'),
      batches: of('batches'),
    }
  }

  /** Milliseconds from the insert of a record to that of its batch, 99th percentile. */
  async sealLag(since: Date): Promise<number> {
    const [row] = await this.database.query<{ p99: number }>(
      `select percentile_cont(0.99) within group (
         order by extract(epoch from b.sealed_at - l.inserted_at)
       )::float8 * 1000 as p99
       from palisade.audit_batches b
       join palisade.audit_seals s on s.epoch = b.epoch and s.seq between b.first and b.last
       join palisade.secret_audit_logs l on l.id = s.record_id
       where l.inserted_at >= $1`,
      [since],
    )
    return row?.p99 ?? NaN
  }
}

/**
 * Goes through as much write-ahead log as the server may keep, so that it has the files that it goes on using: of a new
 * server each is made by a commit, 16 MB of zeros and a sync, while all others wait.
 */
async function age(database: PalisadeDatabase): Promise<void> {
  await database.query(`do $$
    begin
      for file in 0 .. (
        select 1 + sum(s.setting::int) / min(file.setting::int * 1.0 / 1048576)
        from pg_settings s, pg_settings file
        where s.name in ('max_wal_size', 'wal_keep_size') and file.name = 'wal_segment_size'
      )::int loop
        perform pg_logical_emit_message(false, 'palisade', 'file');
        perform pg_switch_wal();
      end loop;
    end $$`)
  await database.query('checkpoint')
}

export const startSealer = (world: SealerWorld): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, 'sealer-process.ts')], {
    env: { ...process.env, SEALER_WORLD: JSON.stringify(world) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
