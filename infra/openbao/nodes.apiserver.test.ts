import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInitialised } from '../../cli/bootstrap/start-store-node.ts'
import { chooseConfig } from '../../cli/bootstrap/store-node.ts'
import { makeAuthority, type Authority } from '../../test/support/certificates.ts'
import { freePorts, until } from '../../test/support/child.ts'
import { startStoreServer, type StoreServer } from '../../test/support/store-server.ts'
import { joiningConfig, openbaoConfig } from './config.ts'
import { nodeAddress, POD } from './nodes.ts'

const PODS = ['openbao-0', 'openbao-1', 'openbao-2'] as const
type Pod = (typeof PODS)[number]
const WISH = { seal: 'static', replicas: 3 } as const

let dir: string
let authority: Authority
let agent: Agent
const ports = new Map<string, { api: number; cluster: number }>()
const running = new Map<string, StoreServer>()

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'palisade-nodes-'))
  authority = await makeAuthority(join(dir, 'authority'))
  agent = new Agent({ connect: { ca: authority.ca } })
  await writeFile(join(dir, 'key'), randomBytes(32))
  const free = await freePorts(6)
  PODS.forEach((pod, index) =>
    ports.set(pod, { api: free[index] ?? 0, cluster: free[index + 3] ?? 0 }),
  )
})
afterAll(async () => {
  await Promise.all([...running.values()].map((one) => one.stop()))
  await agent?.close()
  if (dir) await rm(dir, { recursive: true })
})

const place = (pod: string) => `https://127.0.0.1:${ports.get(pod)?.api ?? 0}`

/** What the init container decides and the server then does. */
async function start(pod: Pod, hasData = false): Promise<'first' | 'join'> {
  const chosen = await chooseConfig({
    pod,
    hasData,
    others: PODS.filter((other) => other !== pod).map(place),
    ask: (address) => isInitialised(address, agent),
  })
  const first = openbaoConfig(WISH)
  // Outside a pod there is no account whose files it could read.
  const initialize = first.initialize.map((stage) =>
    Object.fromEntries(
      Object.entries(stage).map(([name, { request }]) => [
        name,
        { request: request.filter((one) => !('reviewer' in one)) },
      ]),
    ),
  )
  const config = chosen === 'first' ? { ...first, initialize } : joiningConfig(WISH)
  const server = await startStoreServer({
    dir,
    name: pod,
    ports: ports.get(pod) ?? { api: 0, cluster: 0 },
    authority,
    config,
    moved: {
      ...Object.fromEntries(PODS.map((one) => [nodeAddress(one), place(one)])),
      [POD]: pod,
      '/etc/palisade/seal/key': join(dir, 'key'),
    },
  })
  running.set(pod, server)
  return chosen
}

/** The store that each pod belongs to, in their order; a status where it belongs to none. */
const stores = (): Promise<readonly unknown[]> =>
  Promise.all(
    PODS.map(async (pod) => {
      const answer = await running.get(pod)?.ask('GET', 'sys/health?standbyok=true')
      return answer?.status === 200 ? answer.body['cluster_id'] : answer?.status
    }),
  )

/** @returns what the store is called */
async function together(): Promise<unknown> {
  let ids: readonly unknown[] = []
  await until('one store of three nodes', 90_000, async () => {
    await Promise.all([...running.values()].map((one) => one.child.assertRunning()))
    ids = await stores()
    return ids.length === 3 && typeof ids[0] === 'string' && new Set(ids).size === 1
  })
  return ids[0]
}

describe('three nodes', () => {
  let id: unknown

  it('become one store, made by the first of them when all three are there', async () => {
    // All at once, as the StatefulSet does: the first one asks until the others answer.
    const chosen = await Promise.all(PODS.map((pod) => start(pod)))
    expect(chosen).toEqual(['first', 'join', 'join'])
    id = await together()
    const leads = async (one: StoreServer) => (await one.ask('GET', 'sys/leader')).body['is_self']
    const leaders = async () =>
      (await Promise.all([...running.values()].map(leads))).filter((isSelf) => isSelf === true)
    // One that was late on a busy machine has another after it, and for a moment there is none.
    await expect.poll(leaders).toHaveLength(1)
  })

  it('make no second store when the first one comes back without its volume', async () => {
    await running.get('openbao-0')?.stop()
    await rm(join(dir, 'openbao-0'), { recursive: true })
    expect(await start('openbao-0')).toBe('join')
    await until('two nodes of the old store', 60_000, async () => {
      const [, ...others] = await stores()
      return others.every((other) => other === id)
    })
    // It belongs to the old store or to none; never to one of its own.
    const [first] = await stores()
    expect(typeof first === 'string' ? first : id).toBe(id)
  })
})
