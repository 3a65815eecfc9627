import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApiClient, type ApiClient } from './api-client.ts'
import { Reflector } from './reflector.ts'
import { FakeApiServer } from './testkit/fake-api-server.ts'
import { silentLogger, type KubeObject } from './types.ts'

let server: FakeApiServer
let client: ApiClient
let stop: AbortController
let running: Promise<void> | undefined
let changes: string[]
let restarts: string[]

beforeEach(async () => {
  server = new FakeApiServer()
  const url = await server.start()
  client = createApiClient({ server: url, headers: () => Promise.resolve({}), tls: {} })
  stop = new AbortController()
  changes = []
  restarts = []
})
afterEach(async () => {
  stop.abort()
  await running
  await client.close()
  await server.stop()
})

function reflect(options: { idleMs?: number } = {}): Reflector<KubeObject> {
  const reflector = new Reflector<KubeObject>({
    client,
    path: '/things',
    log: silentLogger,
    metrics: { restarts: (_resource, cause) => restarts.push(cause) },
    onChange: ({ type, object }) => changes.push(`${type} ${object.metadata.name}`),
    backoff: { baseMs: 10, capMs: 50 },
    ...options,
  })
  running = reflector.run(stop.signal)
  return reflector
}

const names = (reflector: Reflector<KubeObject>) =>
  [...reflector.store.values()].map(({ metadata }) => metadata.name).sort()

describe('Reflector', () => {
  it('fills its store from a streaming list and follows from the version it ended with', async () => {
    server.put('a')
    server.put('b')
    const reflector = reflect()
    await reflector.synced
    expect(names(reflector)).toEqual(['a', 'b'])
    await expect.poll(() => server.requests).toEqual(['stream', 'watch from 102'])
  })

  it('lists in pages where the server refuses streaming lists, and does not ask for them again', async () => {
    server.streamingLists = false
    for (const name of ['a', 'b', 'c', 'd', 'e']) server.put(name)
    const reflector = reflect()
    await reflector.synced
    expect(names(reflector)).toEqual(['a', 'b', 'c', 'd', 'e'])
    await expect.poll(() => server.watching).toBe(1)
    server.expireWatches()
    await expect.poll(() => server.requests.filter((each) => each === 'list').length).toBe(2)
    expect(server.requests.filter((each) => each === 'stream')).toEqual(['stream'])
  })

  it('drops managedFields and freezes what it keeps', async () => {
    server.put('a')
    const reflector = reflect()
    await reflector.synced
    const kept = reflector.store.get('ns/a')
    expect(kept?.metadata).not.toHaveProperty('managedFields')
    expect(Object.isFrozen(kept?.metadata)).toBe(true)
  })

  it('continues from the last bookmark after its watch was cut', async () => {
    const reflector = reflect()
    await reflector.synced
    await expect.poll(() => server.watching).toBe(1)
    server.put('a', { quietly: true })
    server.bookmark()
    await sleep(50)
    server.cutWatches()
    await expect.poll(() => server.requests.at(-1)).toBe('watch from 101')
  })

  it('tells of an object that was deleted while nobody watched', async () => {
    server.put('a')
    server.put('b')
    const reflector = reflect()
    await reflector.synced
    await expect.poll(() => server.watching).toBe(1)
    server.remove('a', { quietly: true })
    server.expireWatches()
    await expect.poll(() => changes).toContain('deleted a')
    expect(names(reflector)).toEqual(['b'])
    expect(restarts).toContain('expired')
  })

  it('lists again when a watch is answered with 410 as its status', async () => {
    server.put('a')
    const reflector = reflect()
    await reflector.synced
    await expect.poll(() => server.watching).toBe(1)
    server.fail({ status: 410 })
    server.put('b', { quietly: true })
    server.cutWatches()
    await expect.poll(() => names(reflector)).toEqual(['a', 'b'])
    expect(server.requests.filter((each) => each === 'stream').length).toBeGreaterThanOrEqual(2)
  })

  it('waits as long as Retry-After asks', async () => {
    server.fail({ status: 429, headers: { 'retry-after': '1' } })
    const startedAt = performance.now()
    await reflect().synced
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1000)
  })

  it('survives ten refusals in a row', async () => {
    server.put('a')
    server.fail(...Array.from({ length: 10 }, () => ({ status: 500 })))
    const reflector = reflect()
    await reflector.synced
    expect(names(reflector)).toEqual(['a'])
  })

  it('leaves a link on which nothing comes, and misses nothing by it', async () => {
    const reflector = reflect({ idleMs: 150 })
    await reflector.synced
    await expect.poll(() => server.watching).toBe(1)
    server.fallSilent()
    server.put('a')
    await expect.poll(() => names(reflector), { timeout: 2_000 }).toEqual(['a'])
    expect(restarts).toContain('idle')
  })

  it('goes back at once to a resource that stays quiet, however often', async () => {
    const reflector = reflect({ idleMs: 40 })
    await reflector.synced
    await expect.poll(() => restarts.length, { timeout: 2_000 }).toBeGreaterThanOrEqual(10)
    expect(new Set(restarts)).toEqual(new Set(['idle']))
  })

  it('tells of each change once when the server repeats itself', async () => {
    server.put('a')
    const reflector = reflect()
    await reflector.synced
    server.expireWatches()
    server.cutWatches()
    await sleep(200)
    expect(changes).toEqual(['added a'])
  })

  it('reads a line that arrives in pieces', async () => {
    const reflector = reflect()
    await reflector.synced
    await expect.poll(() => server.watching).toBe(1)
    server.sendTorn('müller')
    await expect.poll(() => names(reflector)).toEqual(['müller'])
  })

  it('goes on for the others when a listener throws', async () => {
    const seen: string[] = []
    const reflector = new Reflector<KubeObject>({
      client,
      path: '/things',
      log: silentLogger,
      onChange: ({ object }) => {
        if (object.metadata.name === 'a') throw new Error('the listener is broken')
        seen.push(object.metadata.name)
      },
    })
    server.put('a')
    server.put('b')
    running = reflector.run(stop.signal)
    await reflector.synced
    expect(seen).toEqual(['b'])
  })

  it('does not storm a server that hangs up at once', async () => {
    const reflector = reflect()
    await reflector.synced
    const storm = setInterval(() => server.cutWatches(), 1)
    await sleep(500)
    clearInterval(storm)
    expect(server.requests.length).toBeLessThan(120)
  })
})
