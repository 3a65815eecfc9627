import { setTimeout as sleep } from 'node:timers/promises'
import { LocalError } from '../../errors.ts'
import { at, isMap, text, type Json, type JsonMap } from '../values.ts'

export interface ApiResource {
  readonly plural: string
  readonly namespaced: boolean
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
// A definition that was just established takes a moment to appear.
const ATTEMPTS = 12
const PAUSE_MS = 500

const maps = (value: Json | undefined): JsonMap[] =>
  Array.isArray(value) ? value.filter(isMap) : []

function read(list: JsonMap, into: Map<string, ApiResource>): void {
  for (const group of maps(list.items)) {
    const name = text(at(group, ['metadata', 'name']))
    for (const version of maps(group.versions)) {
      const apiVersion = [name, text(version.version)].filter(Boolean).join('/')
      for (const resource of maps(version.resources)) {
        const kind = text(at(resource, ['responseKind', 'kind']))
        const plural = text(resource.resource)
        if (!kind || !plural) continue
        into.set(`${apiVersion} ${kind}`, { plural, namespaced: resource.scope === 'Namespaced' })
      }
    }
  }
}

/** Kinds that the cluster serves, read in two calls and read again when one is missing. */
export class Discovery {
  readonly #get: (path: string, accept: string) => Promise<JsonMap>
  #kinds: Promise<Map<string, ApiResource>> | undefined

  constructor(get: (path: string, accept: string) => Promise<JsonMap>) {
    this.#get = get
  }

  async #load(): Promise<Map<string, ApiResource>> {
    const kinds = new Map<string, ApiResource>()
    const lists = await Promise.all(['/api', '/apis'].map((path) => this.#get(path, AGGREGATED)))
    for (const list of lists) read(list, kinds)
    return kinds
  }

  async #all(again = false): Promise<Map<string, ApiResource>> {
    if (again || !this.#kinds) {
      const loading = this.#load()
      this.#kinds = loading
      loading.catch(() => (this.#kinds = undefined))
    }
    return this.#kinds
  }

  /** The kind as it is known now, with one fresh look when it is not. */
  async find(apiVersion: string, kind: string): Promise<ApiResource | undefined> {
    const key = `${apiVersion} ${kind}`
    return (await this.#all()).get(key) ?? (await this.#all(true)).get(key)
  }

  async require(apiVersion: string, kind: string): Promise<ApiResource> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.find(apiVersion, kind)
      if (found) return found
      await sleep(PAUSE_MS)
    }
    throw new LocalError(
      'ERR_KIND_UNKNOWN',
      `the cluster does not serve kind "${kind}" of "${apiVersion}"`,
      'install its CustomResourceDefinition first and let the resource depend on it, or correct apiVersion and kind',
    )
  }

  async apiVersions(): Promise<string[]> {
    return [...(await this.#all()).keys()].map((key) => key.replace(' ', '/'))
  }
}
