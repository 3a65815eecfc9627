import { Agent, request, type Dispatcher } from 'undici'
import { errorFromStatus, parseRetryAfter } from './api-error.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface CallOptions {
  readonly query?: Query
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Calls to one API server. Every call has a deadline: a half-open link must not hold a worker for ever. */
export interface ApiClient {
  call<T>(method: Dispatcher.HttpMethod, path: string, options?: CallOptions): Promise<T>
  /** A response whose body is read as it comes, for watches. */
  stream(path: string, query: Query, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  close(): Promise<void>
}

export interface Endpoint {
  readonly server: string
  /** Fresh headers for each request, since projected tokens are replaced while the process runs. */
  headers(): Promise<Record<string, string>>
  readonly tls: {
    readonly ca?: string | Buffer
    readonly cert?: string | Buffer
    readonly key?: string | Buffer
    readonly servername?: string
    readonly rejectUnauthorized?: false
  }
}

const DEFAULT_TIMEOUT_MS = 30_000
export const APPLY_PATCH = 'application/apply-patch+yaml'
export const MERGE_PATCH = 'application/merge-patch+json'

/** @param program what the API server's own audit log calls the caller */
export function createApiClient(endpoint: Endpoint, program = 'palisade-operator'): ApiClient {
  // Some serve a cluster below a path of their own, as Rancher does.
  const root = endpoint.server.replace(/\/+$/, '')
  const agent = new Agent({
    connect: { ...endpoint.tls, timeout: 10_000, keepAlive: true },
    // A watch is silent for minutes by nature; its own watchdog decides when silence is a fault.
    bodyTimeout: 0,
    headersTimeout: 60_000,
    connections: 64,
  })

  async function open(
    method: Dispatcher.HttpMethod,
    path: string,
    options: CallOptions,
  ): Promise<Dispatcher.ResponseData> {
    const url = new URL(root + path)
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const response = await request(url, {
      method,
      dispatcher: agent,
      headers: {
        ...(await endpoint.headers()),
        accept: 'application/json',
        'user-agent': program,
        ...(options.body === undefined
          ? {}
          : { 'content-type': options.contentType ?? 'application/json' }),
      },
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    })
    if (response.statusCode < 300) return response
    const text = await response.body.text()
    const retryAfter = parseRetryAfter(singleHeader(response.headers['retry-after']), Date.now())
    throw errorFromStatus(parseJson(text), response.statusCode, retryAfter)
  }

  return {
    async call<T>(method: Dispatcher.HttpMethod, path: string, options: CallOptions = {}) {
      const deadline = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
      const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
      const response = await open(method, path, { ...options, signal })
      return (await response.body.json()) as T
    },
    async stream(path, query, signal) {
      const response = await open('GET', path, { query, signal })
      return response.body as AsyncIterable<Uint8Array>
    },
    close: () => agent.destroy(),
  }
}

const singleHeader = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy in between answers in HTML; the status code still says enough.
    return undefined
  }
}
