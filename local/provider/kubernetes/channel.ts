import { Agent, request } from 'undici'
import { LocalError } from '../../errors.ts'
import { isMap, type JsonMap } from '../values.ts'
import { ApiError } from './api-error.ts'
import type { Connection } from './connection.ts'

export type Method = 'GET' | 'PATCH' | 'DELETE'

export interface CallOptions {
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
}

/** Requests to an API server with a kubeconfig's credentials, over HTTPS. */
export class Channel {
  readonly #connection: Connection
  readonly #agent: Agent
  readonly #stopped = new AbortController()

  /** @param answerWithinMs for the first byte of an answer */
  constructor(connection: Connection, answerWithinMs: number) {
    this.#connection = connection
    const timeouts = { headersTimeout: answerWithinMs, bodyTimeout: 60_000 }
    this.#agent = new Agent({ connect: connection.tls, connections: 16, ...timeouts })
  }

  get signal(): AbortSignal {
    return this.#stopped.signal
  }

  /** Ends what asks; a change that was sent is waited for. */
  stop(reason: LocalError): void {
    this.#stopped.abort(reason)
  }

  /** Waits for answers that are on their way, then closes the connections. */
  close(): Promise<void> {
    return this.#agent.close()
  }

  async call(method: Method, path: string, options: CallOptions = {}): Promise<JsonMap> {
    const answer = await this.send(method, path, options)
    const parsed = parse(answer)
    if (parsed) return parsed
    throw this.#unreachable(`an answer that is cut off (${answer.length} characters)`)
  }

  /** @throws {ApiError} for an answer that is not a success */
  async send(method: Method, path: string, options: CallOptions = {}): Promise<string> {
    const { body, contentType = 'application/json', accept = 'application/json' } = options
    let statusCode
    let content
    try {
      const answer = await request(new URL(path, this.#connection.server), {
        method,
        dispatcher: this.#agent,
        // A change that was sent is waited for: whether it was made must be known and recorded.
        ...(method === 'GET' ? { signal: this.signal } : {}),
        headers: {
          accept,
          'user-agent': 'pulumi-kubernetes',
          ...(await this.#connection.headers()),
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      statusCode = answer.statusCode
      content = await answer.body.text()
    } catch (error) {
      if (method === 'GET') this.signal.throwIfAborted()
      throw this.#unreachable(error instanceof Error ? error.message : String(error), error)
    }
    if (statusCode >= 300) throw new ApiError(statusCode, parse(content) ?? {})
    return content
  }

  #unreachable(why: string, cause?: unknown): LocalError {
    return new LocalError(
      'ERR_CLUSTER_UNREACHABLE',
      `no answer from the API server at ${new URL(this.#connection.server).origin}: ${why}`,
      'check that the cluster runs and that the kubeconfig names it',
      cause,
    )
  }
}

const parse = (content: string): JsonMap | undefined => {
  try {
    const parsed: unknown = JSON.parse(content)
    return isMap(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
