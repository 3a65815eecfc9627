import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiClient } from './api-client.ts'

/** Answers each request with what was asked for. */
const server = createServer(({ url }, response) => response.end(JSON.stringify({ url })))
let origin: string
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((done) => server.close(done)))

describe('createApiClient', () => {
  it.each([
    ['', '/api/v1/pods?limit=1'],
    ['/', '/api/v1/pods?limit=1'],
    ['/k8s/clusters/one', '/k8s/clusters/one/api/v1/pods?limit=1'],
    ['/k8s/clusters/one/', '/k8s/clusters/one/api/v1/pods?limit=1'],
  ])('asks a server at "%s" for %s', async (at, url) => {
    const headers = () => Promise.resolve({})
    const client = createApiClient({ server: origin + at, headers, tls: {} })
    try {
      expect(await client.call('GET', '/api/v1/pods', { query: { limit: 1 } })).toEqual({ url })
    } finally {
      await client.close()
    }
  })
})
