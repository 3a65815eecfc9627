import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { Sealed } from '#core/sealed'
import { ObjectStore } from './object-store.ts'

/** Asks a server that answers like this. What a real one does is told by the tests beside it. */
async function asking<T>(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  use: (store: ObjectStore) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    void text(request).then((body) => answer(request, response, body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = new ObjectStore(
    { endpoint, bucket: 'audit', region: 'eu-central-1', prefix: 'a b/', pathStyle: true },
    async () => ({ accessKeyId: 'AK', secretAccessKey: Sealed.of('secret') }),
  )
  try {
    return await use(store)
  } finally {
    await store.close()
    server.close()
  }
}

describe('ObjectStore', () => {
  it('sends the checksum without which a bucket with Object Lock takes nothing', async () => {
    const written = await asking(
      ({ headers }, response, body) => {
        const sum = createHash('sha256').update(body).digest('base64')
        response.statusCode = headers['x-amz-checksum-sha256'] === sum ? 200 : 400
        response.setHeader('etag', '"1"').end('<Error><Code>InvalidRequest</Code></Error>')
      },
      (store) => store.put('x.note', 'text', 'absent'),
    )
    expect(written).toBe('"1"')
  })

  it('puts prefix and key behind the bucket, and signs for no other place', async () => {
    const seen: (string | undefined)[] = []
    await asking(
      ({ url, headers }, response) => {
        seen.push(url, headers.authorization)
        response.end('text')
      },
      (store) => store.get('palisade.dev/x.note'),
    )
    expect(seen[0]).toBe('/audit/a%20b/palisade.dev/x.note')
    expect(seen[1]).toMatch(/Credential=AK\/\d{8}\/eu-central-1\/s3\/aws4_request/)
  })

  it('follows no redirect', async () => {
    let requests = 0
    const asked = asking(
      (_, response) => {
        requests += 1
        response.writeHead(307, { location: '/elsewhere' }).end()
      },
      (store) => store.get('x.note'),
    )
    await expect(asked).rejects.toMatchObject({ code: 'ERR_OBJECT_STORE_REFUSED' })
    expect(requests).toBe(1)
  })

  it('reads no object that is too long for a checkpoint', async () => {
    const asked = asking(
      (_, response) => response.end('x'.repeat(100_000)),
      (store) => store.get('x.note'),
    )
    await expect(asked).rejects.toMatchObject({ code: 'ERR_OBJECT_STORE_REFUSED' })
  })

  it.each([
    ['nothing lies there', '<Error><Code>NoSuchKey</Code></Error>', true],
    ['the bucket is gone', '<Error><Code>NoSuchBucket</Code></Error>', false],
    ['a proxy does not know the way', '<html>404</html>', false],
  ])('takes 404 for an empty place only when it says so: %s', async (_, body, isEmpty) => {
    const asked = asking(
      (__, response) => response.writeHead(404).end(body),
      (store) => store.get('x.note'),
    )
    if (isEmpty) expect(await asked).toBeUndefined()
    else await expect(asked).rejects.toMatchObject({ code: 'ERR_OBJECT_STORE_REFUSED' })
  })
})
