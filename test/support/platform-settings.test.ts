import { expect, it } from 'vitest'
import { clusterSpec } from '../../infra/postgres/cluster.ts'
import { platformSettings } from './platform-settings.ts'

it('is what a production cluster asks for, with nothing that makes a commit cheaper', () => {
  const asked = clusterSpec({
    image: '',
    postgres: { instances: 3, storage: '50Gi', version: 17 },
  }).postgresql.parameters
  const own = Object.entries(asked).filter(([name]) => !name.startsWith('pgaudit.'))
  const settings = platformSettings()
  expect(settings).toMatchObject(Object.fromEntries(own))
  expect(settings['max_wal_size']).toBe('1024MB')
  const durable = ['fsync', 'synchronous_commit', 'full_page_writes', 'commit_delay']
  expect(durable.filter((name) => name in settings)).toEqual([])
})
