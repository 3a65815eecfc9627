import { LocalError } from '../../errors.ts'
import { isMap, text, type JsonMap } from '../values.ts'
import { Discovery } from './discovery.ts'
import { ApiError } from './api-error.ts'
import { Channel } from './channel.ts'
import type { Connection } from './connection.ts'
import { describeKey, type ObjectKey } from './object.ts'

export interface ApplyOptions {
  readonly fieldManager: string
  readonly force: boolean
  readonly dryRun: boolean
}

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

const rootOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`

const items = (answer: JsonMap): JsonMap[] =>
  Array.isArray(answer.items) ? answer.items.filter(isMap) : []

/** The few verbs that the provider and `make up` need, over HTTPS with the kubeconfig's credentials. */
export class KubeApi {
  readonly discovery: Discovery
  readonly defaultNamespace: string
  readonly #channel: Channel

  /** @param answerWithinMs for the first byte of an answer */
  constructor(connection: Connection, answerWithinMs = 300_000) {
    this.defaultNamespace = connection.namespace
    this.#channel = new Channel(connection, answerWithinMs)
    this.discovery = new Discovery((path, accept) => this.#channel.call('GET', path, { accept }))
  }

  get signal(): AbortSignal {
    return this.#channel.signal
  }

  /** Ends every call and every wait: the engine asked us to stop. */
  stop(): void {
    const remedy = 'run it again'
    this.#channel.stop(
      new LocalError('ERR_PROVIDER_CANCELLED', 'the operation was cancelled', remedy),
    )
  }

  close(): Promise<void> {
    return this.#channel.close()
  }

  find(key: ObjectKey): Promise<JsonMap | undefined> {
    return this.#find(key)
  }

  /** The object's `metadata` alone: a definition with its schemas has hundreds of kilobytes. */
  metadata(key: ObjectKey): Promise<JsonMap | undefined> {
    return this.#find(key, METADATA)
  }

  async #find(key: ObjectKey, accept?: string): Promise<JsonMap | undefined> {
    const path = await this.#path(key)
    try {
      return await this.#channel.call('GET', path, accept === undefined ? {} : { accept })
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined
      throw error
    }
  }

  async apply(object: JsonMap, key: ObjectKey, options: ApplyOptions): Promise<JsonMap> {
    const query = new URLSearchParams({
      fieldManager: options.fieldManager,
      force: String(options.force),
      fieldValidation: 'Strict',
      ...(options.dryRun ? { dryRun: 'All' } : {}),
    })
    return this.#channel.call('PATCH', `${await this.#path(key)}?${query.toString()}`, {
      body: object,
      contentType: 'application/apply-patch+yaml',
    })
  }

  async remove(key: ObjectKey, propagationPolicy: string, uid?: string): Promise<void> {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } }
    await this.#channel.call('DELETE', await this.#path(key), {
      body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, ...preconditions },
    })
  }

  async list(
    apiVersion: string,
    kind: string,
    namespace: string,
    selector?: string,
  ): Promise<JsonMap[]> {
    const collection = await this.#path({ apiVersion, kind, namespace, name: '' })
    const query = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`
    return items(await this.#channel.call('GET', collection.replace(/\/$/, '') + query))
  }

  /** Of every namespace. */
  async listAll(apiVersion: string, kind: string): Promise<JsonMap[]> {
    const { plural } = await this.discovery.require(apiVersion, kind)
    return items(await this.#channel.call('GET', `${rootOf(apiVersion)}/${plural}`))
  }

  /** @throws {ApiError} while one of its checks fails */
  async readyz(): Promise<void> {
    await this.#channel.send('GET', '/readyz')
  }

  async version(): Promise<string> {
    return text((await this.#channel.call('GET', '/version')).gitVersion) ?? ''
  }

  async #path(key: ObjectKey): Promise<string> {
    const resource = await this.discovery.require(key.apiVersion, key.kind)
    const root = rootOf(key.apiVersion)
    if (!resource.namespaced) return `${root}/${resource.plural}/${encodeURIComponent(key.name)}`
    const namespace = key.namespace ?? this.defaultNamespace
    return `${root}/namespaces/${namespace}/${resource.plural}/${encodeURIComponent(key.name)}`
  }
}

/** Names the object in front of what the API server said. */
export const about = (key: ObjectKey, error: ApiError): string =>
  `${describeKey(key)}: ${error.message}`
