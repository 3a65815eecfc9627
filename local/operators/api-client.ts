import { readFileSync } from 'node:fs'
import { KubeConfig } from '@kubernetes/client-node'
import { Agent, request } from 'undici'
import { LocalError } from '../errors.ts'
import { nameOf, type Manifest } from './objects.ts'

interface Resource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
}

/** Names our fields on objects that operators write to as well. */
const FIELD_MANAGER = 'palisade-local'

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Applies manifests exactly as they are written. The typed clients would drop what their models do not
 * know (`x-kubernetes-…` in the schema of a definition), so this one sends JSON as it stands.
 */
export class ApiClient {
  readonly #server: string
  readonly #agent: Agent
  readonly #token: string | undefined
  readonly #resources = new Map<string, Promise<readonly Resource[]>>()

  constructor(kubeconfig: string) {
    const config = new KubeConfig()
    config.loadFromFile(kubeconfig)
    const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()]
    if (!cluster || !user) {
      throw new LocalError(
        'ERR_KUBECONFIG',
        `${kubeconfig} names no current cluster and user`,
        'run `make up`, which writes it',
      )
    }
    this.#server = cluster.server
    this.#token = user.token
    const ca = pem(cluster.caData, cluster.caFile)
    const cert = pem(user.certData, user.certFile)
    const key = pem(user.keyData, user.keyFile)
    this.#agent = new Agent({
      connections: 8,
      connect: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) },
    })
  }

  async apply(manifest: Manifest, { dryRun = false } = {}): Promise<Manifest> {
    const query = `fieldManager=${FIELD_MANAGER}&force=true${dryRun ? '&dryRun=All' : ''}`
    const path = `${await this.#path(manifest)}?${query}`
    try {
      return (await this.#send('PATCH', path, 'application/apply-patch+yaml', manifest)) as Manifest
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause
      throw new ApiError(cause.status, `${nameOf(manifest)}: ${cause.message}`)
    }
  }

  async read<T = Manifest>(manifest: Manifest): Promise<T> {
    return (await this.#send('GET', await this.#path(manifest))) as T
  }

  close(): Promise<void> {
    return this.#agent.close()
  }

  async #path({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const resource = (await this.#list(group)).find(
      (one) => one.kind === kind && !one.name.includes('/'),
    )
    if (!resource) {
      this.#resources.delete(group) // it may be defined a moment later
      throw new ApiError(404, `the API server does not serve ${kind} in ${apiVersion}`)
    }
    const place = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : ''
    return `${group}${place}/${resource.name}/${metadata.name}`
  }

  #list(group: string): Promise<readonly Resource[]> {
    const known = this.#resources.get(group)
    if (known) return known
    const asked = this.#send('GET', group).then(
      (answer) => (answer as { resources: Resource[] }).resources,
    )
    this.#resources.set(group, asked)
    asked.catch(() => this.#resources.delete(group))
    return asked
  }

  async #send(method: 'GET' | 'PATCH', path: string, type?: string, body?: unknown) {
    const { statusCode, body: answer } = await request(`${this.#server}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        accept: 'application/json',
        ...(type ? { 'content-type': type } : {}),
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (statusCode < 300) return JSON.parse(text) as unknown
    throw new ApiError(statusCode, messageIn(text))
  }
}

/** A kubeconfig carries its certificates itself or names their files. */
const pem = (data?: string, file?: string): Buffer | undefined =>
  data ? Buffer.from(data, 'base64') : file ? readFileSync(file) : undefined

const messageIn = (text: string): string => {
  try {
    return (JSON.parse(text) as { message: string }).message
  } catch {
    return text.slice(0, 500)
  }
}
