import type { V1Pod } from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import { stalePods } from './stale-pods.ts'

// As the API server writes it, a string; the client's type says Date.
const pod = (name: string, state: object): V1Pod =>
  ({
    metadata: { namespace: 'team', name },
    status: { containerStatuses: [{ name: 'main', state }] },
  }) as unknown as V1Pod

const running = (startedAt: string): object => ({ running: { startedAt } })
const since = '2026-11-21T14:00:10.700Z'

describe('stalePods', () => {
  it('names a pod whose container runs since before the node was started', () => {
    expect(stalePods([pod('old', running('2026-11-21T14:00:09Z'))], since)).toEqual(['team/old'])
  })
  it('counts the second of the start as after it', () => {
    expect(stalePods([pod('new', running('2026-11-21T14:00:10Z'))], since)).toEqual([])
  })
  it('takes no offence at pods that have ended or wait', () => {
    const ended = pod('job', { terminated: { exitCode: 0 } })
    expect(stalePods([ended, pod('next', { waiting: {} }), { metadata: {} }], since)).toEqual([])
  })
})
