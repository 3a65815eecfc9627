import { describe, expect, it } from 'vitest'
import type { Manifest } from './manifest.ts'
import type { Known } from './memory.ts'
import { decide } from './prune.ts'

const policy = (name: string, apiVersion = 'networking.k8s.io/v1'): Manifest => ({
  apiVersion,
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'shop' },
})

const known = (uid: string, { apiVersion, kind, metadata }: Manifest): Known => ({
  key: { apiVersion, kind, ...metadata },
  uid,
})

const holder = (kind: string): Manifest => ({ apiVersion: 'v1', kind, metadata: { name: 'held' } })

describe('decide', () => {
  it('deletes what was applied before and is not asked for now', () => {
    const metrics = known('2', policy('metrics'))
    expect(decide([known('1', policy('dns')), metrics], [policy('dns')])).toEqual({
      unasked: [metrics],
      obsolete: [metrics],
    })
  })

  it('deletes nothing where nothing is known, nor what is asked for and not known', () => {
    expect(decide([], [policy('dns')])).toEqual({ unasked: [], obsolete: [] })
  })

  it('forgets and does not delete what is asked for by another version of its kind', () => {
    const before = known('1', policy('dns', 'extensions/v1beta1'))
    const decided = decide([before, known('1', policy('dns'))], [policy('dns')])
    expect(decided).toEqual({ unasked: [before], obsolete: [] })
  })

  it('leaves what moved to another list alone', () => {
    const moved = [known('1', policy('dns')), known('1', policy('dns'))]
    expect(decide(moved, [policy('dns')])).toEqual({ unasked: [], obsolete: [] })
  })

  it.each(['Namespace', 'CustomResourceDefinition'])(
    'forgets a %s and does not delete what others put into it',
    (kind) => {
      const one = known('1', holder(kind))
      expect(decide([one], [])).toEqual({ unasked: [one], obsolete: [] })
    },
  )

  it('tells objects of one name apart by kind and namespace', () => {
    const elsewhere = known('2', { ...policy('dns'), metadata: { name: 'dns', namespace: 'bar' } })
    const other = known('3', { ...policy('dns'), kind: 'ConfigMap' })
    const all = [known('1', policy('dns')), elsewhere, other]
    expect(decide(all, [policy('dns')]).obsolete).toEqual([elsewhere, other])
  })
})
