import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { Agent, request } from 'undici'
import { PalisadeError } from '#core/problem'
import type { Sealed } from '#core/sealed'

export interface ObjectStoreAddress {
  /** Origin of the server, `https://host[:port]`. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  /** In front of every key; empty or ending with a slash. */
  readonly prefix: string
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean
}

export interface ObjectStoreAccess {
  readonly accessKeyId: string
  readonly secretAccessKey: Sealed<string>
  readonly sessionToken?: Sealed<string>
  /** PEM of the authority that signed the server's certificate; absent, those that Node knows. */
  readonly ca?: string
}

/** Condition of a PUT (RFC 9110 13.1): nothing lies there yet, or exactly the object of this entity tag. */
export type Condition = 'absent' | { readonly etag: string }

export interface StoredObject {
  readonly text: string
  readonly etag: string | undefined
}

interface Answer {
  readonly status: number
  /** S3's word for an error, such as `NoSuchKey`; empty when the answer has none. */
  readonly code: string
  readonly etag: string | undefined
  readonly text: string
}

const TIMEOUT_MS = 5_000
/** Checkpoints have a few hundred bytes; who answers with a gigabyte must not fill our memory. */
const MOST_BYTES = 65_536

/** As much of the S3 API as checkpoints need. Each request ends within five seconds, one way or the other. */
export class ObjectStore {
  readonly #where: ObjectStoreAddress
  readonly #access: () => Promise<ObjectStoreAccess>
  #agent: { readonly ca: string | undefined; readonly agent: Agent } | undefined

  /** @param access asked for each request, since the credential is rotated while we run */
  constructor(where: ObjectStoreAddress, access: () => Promise<ObjectStoreAccess>) {
    this.#where = where
    this.#access = access
  }

  /** @param key below the prefix */
  async get(key: string): Promise<StoredObject | undefined> {
    const answer = await this.#send('GET', key)
    if (answer.status === 200) return { text: answer.text, etag: answer.etag }
    // A bucket that is gone is 404 too, and no place that remembers nothing.
    if (answer.status === 404 && answer.code === 'NoSuchKey') return undefined
    throw refused(answer, 'GET', key)
  }

  /** @returns entity tag of what was written (empty where the server tells none), or false when the condition does not hold */
  async put(key: string, text: string, condition: Condition): Promise<string | false> {
    const header =
      condition === 'absent' ? { 'if-none-match': '*' } : { 'if-match': condition.etag }
    const answer = await this.#send('PUT', key, text, header)
    if (answer.status >= 200 && answer.status < 300) return answer.etag ?? ''
    // 412 does not hold; 409 somebody else writes at this moment; 404 what should match is gone.
    const isGone = answer.status === 404 && answer.code === 'NoSuchKey'
    if (answer.status === 412 || answer.status === 409 || isGone) return false
    throw refused(answer, 'PUT', key)
  }

  async close(): Promise<void> {
    await this.#agent?.agent.close()
  }

  async #send(
    method: 'GET' | 'PUT',
    key: string,
    body?: string,
    conditions: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const access = await this.#access()
    const signed = await new AwsV4Signer({
      method,
      url: this.#url(key),
      service: 's3',
      region: this.#where.region,
      accessKeyId: access.accessKeyId,
      secretAccessKey: access.secretAccessKey.reveal(),
      ...(access.sessionToken ? { sessionToken: access.sessionToken.reveal() } : {}),
      headers: {
        ...conditions,
        'x-amz-content-sha256': sha256(body ?? '').toString('hex'),
        ...(body === undefined
          ? {}
          : {
              'content-type': 'text/plain; charset=utf-8',
              // A bucket with Object Lock takes nothing without a checksum that it keeps.
              'x-amz-checksum-sha256': sha256(body).toString('base64'),
            }),
      },
    }).sign()
    // No redirect is followed: a signed request goes to the server of the configuration and nowhere else.
    const answer = await request(signed.url, {
      method,
      headers: Object.fromEntries(signed.headers),
      body: body ?? null,
      dispatcher: this.#dispatcher(access.ca),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await readAtMost(answer.body)
    const { etag } = answer.headers
    return {
      status: answer.statusCode,
      // Nothing else of an error's body goes on: it may quote what was signed.
      code: /<Code>([A-Za-z]{1,60})<\/Code>/.exec(text)?.[1] ?? '',
      etag: typeof etag === 'string' ? etag : undefined,
      text,
    }
  }

  #url(key: string): string {
    const { endpoint, bucket, prefix, pathStyle } = this.#where
    const url = new URL(endpoint)
    const path = `${prefix}${key}`.split('/').map(encodeURIComponent).join('/')
    if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`
    url.pathname = pathStyle ? `/${bucket}/${path}` : `/${path}`
    return url.href
  }

  #dispatcher(ca: string | undefined): Agent {
    if (this.#agent === undefined || this.#agent.ca !== ca) {
      // Requests that go on over the old one end within their own time.
      void this.#agent?.agent.close()
      const connect = { timeout: TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) }
      const limits = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS }
      this.#agent = { ca, agent: new Agent({ connect, ...limits }) }
    }
    return this.#agent.agent
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest()

async function readAtMost(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MOST_BYTES) {
      throw new PalisadeError('ERR_OBJECT_STORE_REFUSED', 'an object is too long for a checkpoint')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const refused = ({ status, code }: Answer, method: string, key: string) =>
  new PalisadeError(
    'ERR_OBJECT_STORE_REFUSED',
    `the object store answered ${status} ${code}`.trimEnd() + ` to ${method} ${key}`,
  )
