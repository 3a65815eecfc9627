import { isDeepStrictEqual } from 'node:util'
import { APPLY_PATCH, type ApiClient } from './api-client.ts'
import type { Condition, KubeObject } from './types.ts'

export interface ApplyOptions {
  readonly fieldManager: string
  readonly signal?: AbortSignal
}

/** Server-side apply: what it names becomes ours, what it leaves out and was ours goes, the rest is not touched. */
export function apply<T extends KubeObject>(
  client: ApiClient,
  path: string,
  body: object,
  options: ApplyOptions,
): Promise<T> {
  return client.call<T>('PATCH', path, {
    query: { fieldManager: options.fieldManager, force: true },
    body,
    contentType: APPLY_PATCH,
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

/** Written only when it says something new: 10,000 resources at rest cause no writes. */
export async function applyStatus<S extends object>(
  client: ApiClient,
  path: string,
  object: KubeObject & { readonly status?: S | undefined },
  status: S,
  options: ApplyOptions,
): Promise<boolean> {
  if (isDeepStrictEqual(plain(object.status), plain(status))) return false
  const { apiVersion, kind, metadata } = object
  const body = {
    apiVersion,
    kind,
    // The uid keeps it from a namesake of a deleted object, the version from a newer status: a replica that slept
    // through somebody else's work would tell an old story.
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
    status,
  }
  await apply(client, `${path}/status`, body, options)
  return true
}

/** Keeps the transition time while the status stays the same, as the API conventions ask. */
export function settleConditions(
  before: readonly Condition[] | undefined,
  wanted: readonly Omit<Condition, 'lastTransitionTime'>[],
  now: Date,
): Condition[] {
  return wanted.map((condition) => {
    const known = before?.find(({ type }) => type === condition.type)
    const same = known?.status === condition.status
    const at = now.toISOString().replace(/\.\d+Z$/, 'Z')
    return { ...condition, lastTransitionTime: same ? known.lastTransitionTime : at }
  })
}

/** Drops undefined fields and prototypes, which the API server does not store. */
const plain = (value: unknown): unknown =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
