import { describe, expect, it } from 'vitest'
import type { Consumer, WorkloadKind, WorkloadPatch } from '../ports.ts'
import { planRestart } from './restart.ts'
import { deployment, NOON } from './testkit/observed.ts'

type Restartable = Consumer & { kind: WorkloadKind; resourceVersion: string }
const web = (annotations: Record<string, string> = {}) =>
  deployment('web', { templateVersion: '1', annotations }) as Restartable

const plan = (consumer: Restartable, secret: string, at = NOON, coalesceMs = 30_000) =>
  planRestart(consumer, 'shop', secret, 2, { now: at, coalesceMs })

const patched = (of: ReturnType<typeof planRestart>): WorkloadPatch => {
  if (of.kind !== 'patch') throw new Error('expected a patch')
  return of.patch
}

describe('planRestart', () => {
  it('restarts at once without a window, for its own Secret alone', () => {
    const { annotations, templateAnnotations } = patched(plan(web(), 'db', NOON, 0))
    expect(annotations).toEqual({})
    expect(templateAnnotations).toEqual({ 'palisade.dev/db': '2' })
  })

  it('sets the time with the first Secret and keeps it for the second', () => {
    const first = patched(plan(web(), 'db'))
    expect(first.templateAnnotations).toEqual({})
    expect(first.annotations['palisade.dev/restart-due']).toBe('2026-11-21T12:00:30.000Z')
    const second = patched(plan(web(first.annotations as Record<string, string>), 'cache', at(20)))
    expect(second.annotations['palisade.dev/restart-due']).toBe('2026-11-21T12:00:30.000Z')
  })

  it('waits for the time and then moves every waiting version into the template in one patch', () => {
    const waiting = web({
      'palisade.dev/restart-due': '2026-11-21T12:00:30.000Z',
      'restart-for.palisade.dev/db': '2',
      'restart-for.palisade.dev/cache': '5',
    })
    expect(plan(waiting, 'db', at(20))).toEqual({ kind: 'wait', ms: 10_000 })
    const { annotations, templateAnnotations } = patched(plan(waiting, 'db', at(30)))
    expect(templateAnnotations).toEqual({ 'palisade.dev/db': '2', 'palisade.dev/cache': '5' })
    expect(new Set(Object.values(annotations))).toEqual(new Set([null]))
    expect(Object.keys(annotations)).toHaveLength(3)
  })

  it('makes one rollout of twenty Secrets that change within the window', () => {
    let workload = web()
    for (let i = 0; i < 20; i += 1) {
      const { annotations } = patched(plan(workload, `secret-${i}`, at(i)))
      workload = web({ ...workload.annotations, ...(annotations as Record<string, string>) })
    }
    const { templateAnnotations } = patched(plan(workload, 'secret-0', at(31)))
    expect(Object.keys(templateAnnotations)).toHaveLength(20)
  })
})

function at(seconds: number): Date {
  return new Date(NOON.getTime() + seconds * 1_000)
}
