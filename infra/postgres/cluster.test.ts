import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { clusterSpec } from './cluster.ts'
import { CERTIFICATE_ROLES, hostRules } from './hba.ts'

const cluster = (instances = 1) =>
  clusterSpec({
    image: 'palisade.local/postgres:17-1',
    postgres: { instances, storage: '1Gi', version: 17 },
  })

/** The first line that fits, as the server reads them; `how` is the kind of connection. */
const methodFor = (user: string, how: 'hostssl' | 'host'): string | undefined =>
  hostRules()
    .map((line) => line.split(' '))
    .find(
      ([type, , role]) =>
        (type === how || (type === 'host' && how === 'hostssl')) &&
        (role === user || role === 'all'),
    )
    ?.at(-1)

describe('hostRules', () => {
  it.each(CERTIFICATE_ROLES)('lets %s in by certificate over TLS and in no other way', (role) => {
    expect(methodFor(role, 'hostssl')).toBe('cert')
    expect(methodFor(role, 'host')).toBe('reject')
  })

  it('turns the owner of the database away, whose password nobody asked for', () => {
    expect(methodFor('palisade_owner', 'hostssl')).toBe('reject')
  })

  it('asks everybody else for SCRAM over TLS and refuses plain connections', () => {
    expect(methodFor('palisade_app_a', 'hostssl')).toBe('scram-sha-256')
    expect(methodFor('palisade_app_a', 'host')).toBe('reject')
  })
})

describe('clusterSpec', () => {
  it('makes no superuser Secret', () => {
    expect(cluster().enableSuperuserAccess).toBe(false)
  })

  it('writes no statement and no parameter of a statement to the log', () => {
    expect(cluster().postgresql.parameters).toMatchObject({
      log_statement: 'none',
      log_min_error_statement: 'panic',
      log_min_duration_statement: '-1',
      log_parameter_max_length: '0',
      log_parameter_max_length_on_error: '0',
      'pgaudit.log_parameter': 'off',
      'pgaudit.log_statement': 'off',
    })
  })

  it('has a level of the instance manager at which no record of the server is dropped', () => {
    expect(['debug', 'trace']).toContain(cluster().logLevel)
  })

  it('waits for a replica at commit from three instances on', () => {
    expect(cluster(1)).not.toHaveProperty('minSyncReplicas')
    expect(cluster(3)).toMatchObject({ minSyncReplicas: 1, maxSyncReplicas: 1 })
  })

  it('hands the first statements over by reference, since container arguments eat dollar signs', () => {
    const sql = readFileSync(new URL('../../gateway/store/bootstrap.sql', import.meta.url), 'utf8')
    expect(sql).toContain('$$')
    expect(cluster().bootstrap.initdb).not.toHaveProperty('postInitApplicationSQL')
    expect(cluster().bootstrap.initdb.postInitApplicationSQLRefs.configMapRefs).toHaveLength(1)
  })
})
