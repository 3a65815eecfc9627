import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from '../../local/cluster/manifest.ts'
import { inTime } from './child.ts'

/** What every object has; what a kind has besides is for whoever reads it. */
export type KubeObject = Pick<Manifest, 'apiVersion' | 'kind' | 'metadata'>

/** Who asks. Without a token it is the administrator, who may speak for `user`. */
export interface Identity {
  readonly token?: string
  readonly user?: string
  readonly groups?: readonly string[]
}

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  /** Text of a refusal; empty when there is none. */
  readonly message: string
  /** `Warning` headers, as admission gives them. */
  readonly warnings: readonly string[]
}

export interface Ask extends Identity {
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
}

/** Plain requests, so that a test sees exactly what the API server answers. */
export class ApiRequests {
  readonly #url: string
  readonly #adminToken: string
  readonly #agent: Agent

  constructor(url: string, ca: string, adminToken: string) {
    this.#url = url
    this.#adminToken = adminToken
    this.#agent = new Agent({ connect: { ca }, keepAliveTimeout: 1_000 })
  }

  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const answer = await request(`${this.#url}${path}`, {
      method: method as 'GET',
      dispatcher: this.#agent,
      signal: inTime(),
      headers: {
        authorization: `Bearer ${ask.token ?? this.#adminToken}`,
        accept: ask.accept ?? 'application/json',
        ...(ask.user === undefined ? {} : { 'impersonate-user': ask.user }),
        ...(ask.groups === undefined ? {} : { 'impersonate-group': [...ask.groups] }),
        ...(ask.body === undefined
          ? {}
          : { 'content-type': ask.contentType ?? 'application/json' }),
      },
      body: ask.body === undefined ? null : JSON.stringify(ask.body),
    })
    const text = await answer.body.text()
    const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
    const warnings = [answer.headers['warning'] ?? []].flat()
    const refusal = typeof body['message'] === 'string' ? body['message'] : text
    const message = answer.statusCode < 300 ? '' : refusal
    return { status: answer.statusCode, body, message, warnings }
  }

  get(path: string, identity: Identity = {}): Promise<Answer> {
    return this.ask('GET', path, identity)
  }

  post(path: string, body: unknown, identity: Identity = {}): Promise<Answer> {
    return this.ask('POST', path, { ...identity, body })
  }

  put(path: string, body: unknown, identity: Identity = {}): Promise<Answer> {
    return this.ask('PUT', path, { ...identity, body })
  }

  mergePatch(path: string, body: unknown, identity: Identity = {}): Promise<Answer> {
    return this.ask('PATCH', path, {
      ...identity,
      body,
      contentType: 'application/merge-patch+json',
    })
  }

  /** Server-side apply as one field manager; JSON is YAML. */
  applyPatch(
    path: string,
    object: unknown,
    manager: string,
    identity: Identity = {},
  ): Promise<Answer> {
    return this.ask('PATCH', `${path}?fieldManager=${manager}&force=true`, {
      ...identity,
      body: object,
      contentType: 'application/apply-patch+yaml',
    })
  }

  /** Applies as administrator; a refusal is an error of the test. */
  async apply(object: KubeObject, collection: string): Promise<Record<string, unknown>> {
    const path = `${collection}/${object.metadata.name}`
    return this.expectOk(await this.applyPatch(path, object, 'test'))
  }

  async applyFile(file: string, collection: string): Promise<void> {
    for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
      await this.apply(document.toJS() as KubeObject, collection)
    }
  }

  expectOk(answer: Answer): Record<string, unknown> {
    if (answer.status < 300) return answer.body
    throw new Error(`the API server answered ${answer.status}: ${answer.message}`)
  }
}
