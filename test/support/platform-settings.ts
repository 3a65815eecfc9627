import { profileDefaults } from '../../infra/config/defaults.ts'
import type { StackConfig } from '../../infra/config/schema.ts'
import { clusterSpec } from '../../infra/postgres/cluster.ts'

/**
 * What CloudNativePG sets whatever a cluster asks for, as far as it makes a commit cost something
 * (cloudnative-pg.io, PostgreSQL Configuration); each full file of the write-ahead log starts a program.
 */
const OF_THE_OPERATOR = {
  wal_level: 'logical',
  wal_log_hints: 'on',
  archive_mode: 'on',
  archive_command: '/bin/true',
  archive_timeout: '5min',
} as const

/** Settings of the database in profile `production`, for a server without the extension that writes who changed what. */
export function platformSettings(): Readonly<Record<string, string>> {
  const postgres = profileDefaults('production')['postgres'] as StackConfig['postgres']
  const { parameters } = clusterSpec({ image: '', postgres }).postgresql
  const own = Object.entries(parameters).filter(([name]) => !name.startsWith('pgaudit.'))
  return { ...Object.fromEntries(own), ...OF_THE_OPERATOR }
}
