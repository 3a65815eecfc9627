import { at, isMap, text, type Json, type JsonMap } from '../values.ts'

export const AUTONAMED = 'pulumi.com/autonamed'
export const SKIP_AWAIT = 'pulumi.com/skipAwait'
export const TIMEOUT_SECONDS = 'pulumi.com/timeoutSeconds'
export const PATCH_FORCE = 'pulumi.com/patchForce'
export const PROPAGATION = 'pulumi.com/deletionPropagationPolicy'
export const WAIT_FOR = 'pulumi.com/waitFor'

export interface ObjectKey {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
}

export const apiVersionOf = (object: JsonMap): string => text(object.apiVersion) ?? ''
export const kindOf = (object: JsonMap): string => text(object.kind) ?? ''
export const nameOf = (object: JsonMap): string | undefined =>
  text(at(object, ['metadata', 'name']))
export const namespaceOf = (object: JsonMap): string | undefined =>
  text(at(object, ['metadata', 'namespace']))
export const annotation = (object: JsonMap, key: string): string | undefined =>
  text(at(object, ['metadata', 'annotations', key]))

export const keyOf = (object: JsonMap): ObjectKey => ({
  apiVersion: apiVersionOf(object),
  kind: kindOf(object),
  namespace: namespaceOf(object),
  name: nameOf(object) ?? '',
})

export const idOf = (key: Pick<ObjectKey, 'namespace' | 'name'>): string =>
  key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`

export function parseId(id: string): { namespace?: string; name: string } {
  const [first = '', second] = id.split('/', 2)
  return second === undefined ? { name: first } : { namespace: first, name: second }
}

/** "Deployment shop/orders", as people say it. */
export const describeKey = (key: ObjectKey): string => `${key.kind} ${idOf(key)}`

export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''

/** `kubernetes:apps/v1:Deployment`; the group without a name is called core. */
export const typeToken = (apiVersion: string, kind: string): string =>
  `kubernetes:${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}:${kind}`

export function parseType(type: string): { apiVersion: string; kind: string } | undefined {
  const match = /^kubernetes:([^:]+):([A-Za-z0-9]+)$/.exec(type)
  if (!match?.[1] || !match[2]) return undefined
  return { apiVersion: match[1].replace(/^core\//, ''), kind: match[2] }
}

export const typeOfUrn = (urn: string): string => urn.split('::')[2]?.split('$').at(-1) ?? ''
export const nameOfUrn = (urn: string): string => urn.split('::').slice(3).join('::')

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

export function conditionOf(object: JsonMap, type: string): Condition | undefined {
  const list = at(object, ['status', 'conditions'])
  const found = Array.isArray(list)
    ? list.find((one) => isMap(one) && one.type === type)
    : undefined
  if (!isMap(found)) return undefined
  const word = (value: Json | undefined): string => text(value) ?? ''
  return {
    type,
    status: word(found.status),
    reason: word(found.reason),
    message: word(found.message),
  }
}

export const numberAt = (object: JsonMap, ...path: string[]): number => {
  const value = at(object, path)
  return typeof value === 'number' ? value : 0
}
