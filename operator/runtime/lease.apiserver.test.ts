import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApiServer, type TestApiServer } from '../../test/support/apiserver.ts'
import { createApiClient, type ApiClient } from './api-client.ts'
import { endpointOf } from './kubeconfig.ts'
import { LeaseElection } from './lease.ts'
import { silentLogger } from './types.ts'

let api: TestApiServer
let client: ApiClient
beforeAll(async () => {
  api = await startApiServer()
  await api.namespace('system')
  client = createApiClient(await endpointOf(api.kubeconfigPath))
})
afterAll(async () => {
  await client?.close()
  await api?.stop()
})

const candidate = (name: string, identity: string, durationMs = 3_000) =>
  new LeaseElection({
    client,
    lease: { namespace: 'system', name },
    identity,
    log: silentLogger,
    durationMs,
    renewDeadlineMs: 2_000,
    retryMs: 200,
  })

const LONG_MS = 60_000
const soon = () => AbortSignal.timeout(20_000)

async function secondsUntil(leads: Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await leads
  return (performance.now() - startedAt) / 1000
}

describe('LeaseElection', () => {
  it('lets one of two lead and the other wait', async () => {
    const stop = new AbortController()
    const leading: string[] = []
    const waiting = ['a', 'b'].map((identity) =>
      // Nobody renews it here.
      candidate('one', identity, LONG_MS)
        .acquire(stop.signal)
        .then(
          () => leading.push(identity),
          () => undefined,
        ),
    )
    await expect.poll(() => leading.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 500))
    stop.abort()
    await Promise.all(waiting)
    expect(leading).toHaveLength(1)
  })

  it('hands over before the lease ends when the leader releases', async () => {
    const [first, second] = [candidate('handed', 'a', LONG_MS), candidate('handed', 'b', LONG_MS)]
    await first.acquire(soon())
    const taken = second.acquire(AbortSignal.timeout(LONG_MS))
    await first.release()
    expect(await secondsUntil(taken)).toBeLessThan(LONG_MS / 2_000)
  })

  it('waits for the whole duration when the leader died', async () => {
    const [first, second] = [candidate('dead', 'a'), candidate('dead', 'b')]
    await first.acquire(soon())
    const seconds = await secondsUntil(second.acquire(soon()))
    expect(seconds).toBeGreaterThanOrEqual(3)
    expect(seconds).toBeLessThan(15)
  })

  it('tells a leader whose lease was taken that it is lost', async () => {
    const first = candidate('taken', 'a')
    await first.acquire(soon())
    const held = first.hold(soon())
    const path = '/apis/coordination.k8s.io/v1/namespaces/system/leases/taken'
    await api.mergePatch(path, { spec: { holderIdentity: 'b' } })
    expect(await held).toBe('lost')
  })

  it('stops renewing without a word when it is told to stop', async () => {
    const first = candidate('stopped', 'a')
    await first.acquire(soon())
    expect(await first.hold(AbortSignal.timeout(300))).toBe('stopped')
  })
})
