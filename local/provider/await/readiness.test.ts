import { describe, expect, it } from 'vitest'
import type { KubeApi } from '../kubernetes/api.ts'
import type { JsonMap } from '../values.ts'
import { condition, parseWaitFor } from './conditions.ts'
import { podProblem } from './pods.ts'
import { deployment, job, statefulSet } from './workloads.ts'

// These checks look at nothing but the object.
const noApi = undefined as unknown as KubeApi
const look = async (check: typeof deployment, live: JsonMap) => (await check(live, noApi)).state

const rollout = (status: JsonMap): JsonMap => ({
  metadata: { generation: 2 },
  spec: { replicas: 2 },
  status: {
    observedGeneration: 2,
    replicas: 2,
    updatedReplicas: 2,
    availableReplicas: 2,
    ...status,
  },
})

describe('deployment', () => {
  it('is ready when all replicas are updated and available', async () => {
    expect(await look(deployment, rollout({}))).toBe('ready')
  })
  it.each([
    ['its controller saw an older version', { observedGeneration: 1 }],
    ['one of two replicas is not updated', { updatedReplicas: 1 }],
    ['an old replica is still there', { replicas: 3 }],
    ['one of two replicas is not available', { availableReplicas: 1 }],
  ])('waits while %s', async (_, status) => {
    expect(await look(deployment, rollout(status))).toBe('waiting')
  })
  it('fails when its deadline passed', async () => {
    const conditions = [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' },
    ]
    expect(await look(deployment, rollout({ conditions }))).toBe('failed')
  })
})

describe('statefulSet', () => {
  it('waits for the updated replicas above the partition only', async () => {
    const live = { ...rollout({ readyReplicas: 2, updatedReplicas: 1 }) }
    expect(await look(statefulSet, live)).toBe('waiting')
    const partitioned = {
      ...live,
      spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
    }
    expect(await look(statefulSet, partitioned)).toBe('ready')
  })
})

describe('job', () => {
  it('fails with the reason of its condition', async () => {
    const conditions = [
      { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'no' },
    ]
    expect(await job({ status: { conditions } }, noApi)).toEqual({
      state: 'failed',
      message: 'BackoffLimitExceeded: no',
    })
  })
})

describe('condition', () => {
  it('waits while the condition speaks of an older generation', async () => {
    const conditions = [{ type: 'Ready', status: 'True', observedGeneration: 1 }]
    expect(
      await look(condition('Ready'), { metadata: { generation: 2 }, status: { conditions } }),
    ).toBe('waiting')
    expect(
      await look(condition('Ready'), { metadata: { generation: 1 }, status: { conditions } }),
    ).toBe('ready')
  })
})

describe('parseWaitFor', () => {
  it('understands conditions and paths, and refuses the rest', async () => {
    expect(
      await look(parseWaitFor('jsonpath={.status.phase}=Active'), { status: { phase: 'Active' } }),
    ).toBe('ready')
    expect(
      await look(parseWaitFor('condition=Up=False'), {
        status: { conditions: [{ type: 'Up', status: 'False' }] },
      }),
    ).toBe('ready')
    const first = parseWaitFor('jsonpath={.webhooks[0].caBundle}')
    expect(await look(first, { webhooks: [{ caBundle: 'x' }] })).toBe('ready')
    expect(await look(first, { webhooks: [{}] })).toBe('waiting')
    expect(() => parseWaitFor('soon')).toThrow(/is not understood/)
  })
})

describe('podProblem', () => {
  const pod = (status: JsonMap): JsonMap => ({ metadata: { name: 'p' }, status })

  it('names the container, its reason and its last end', () => {
    const containerStatuses = [
      {
        name: 'app',
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
        lastState: { terminated: { exitCode: 3, reason: 'Error' } },
      },
    ]
    expect(podProblem(pod({ containerStatuses }))).toBe(
      'pod p: container "app": CrashLoopBackOff: back-off; last end: Error, exit code 3',
    )
  })
  it('is silent while a container is being created', () => {
    const containerStatuses = [{ name: 'app', state: { waiting: { reason: 'ContainerCreating' } } }]
    expect(podProblem(pod({ containerStatuses }))).toBeUndefined()
  })
  it('says why a pod is not scheduled', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes' }]
    expect(podProblem(pod({ conditions }))).toBe('pod p is not scheduled: 0/1 nodes')
  })
})
