import { withName } from '../autonaming.ts'
import type { ProviderContext } from '../context.ts'
import {
  apiVersionOf,
  kindOf,
  nameOfUrn,
  namespaceOf,
  parseType,
  typeOfUrn,
} from '../kubernetes/object.ts'
import { markObject, secretPaths } from '../secrets.ts'
import { at, isMap, UNKNOWN, type Decoded, type Json, type JsonMap, type Path } from '../values.ts'
import { refuseUnsupported } from './supported.ts'

/** `stringData` is a way to write, not a field that stays: the API server turns it into `data`. */
function foldStringData(object: JsonMap): JsonMap {
  const { stringData, ...rest } = object
  if (kindOf(object) !== 'Secret' || !isMap(stringData)) return object
  const data: JsonMap = isMap(rest.data) ? { ...rest.data } : {}
  for (const [key, value] of Object.entries(stringData)) {
    // A value that is not known yet has no encoding; anything but text is for the API server to refuse.
    if (typeof value !== 'string' || value === UNKNOWN) return object
    data[key] = Buffer.from(value).toString('base64')
  }
  return { ...rest, data }
}

/** The Node SDK writes absent fields as null; the API takes null for a wish to delete. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isMap(value)) return value
  const kept = Object.entries(value).filter(([, item]) => item !== null)
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]))
}

async function withNamespace(object: JsonMap, context: ProviderContext): Promise<JsonMap> {
  if (namespaceOf(object) !== undefined) return object
  const resource = await context.api.discovery.find(apiVersionOf(object), kindOf(object))
  // A kind that is not served yet comes with a definition of the same program; it is looked at again then.
  if (!resource?.namespaced) return object
  const metadata = isMap(object.metadata) ? object.metadata : {}
  return { ...object, metadata: { ...metadata, namespace: context.api.defaultNamespace } }
}

export interface CheckedInputs {
  readonly object: JsonMap
  readonly secrets: readonly Path[]
}

/** Completes the inputs: kind, name, namespace. What it adds is recorded and compared from then on. */
export async function check(
  urn: string,
  olds: Decoded,
  news: Decoded,
  seed: Uint8Array,
  context: ProviderContext,
): Promise<JsonMap> {
  const type = typeOfUrn(urn)
  refuseUnsupported(type)
  const parsed = parseType(type)
  const given = withoutNulls(news.value) as JsonMap
  const typed = {
    ...given,
    apiVersion: apiVersionOf(given) || (parsed?.apiVersion ?? ''),
    kind: kindOf(given) || (parsed?.kind ?? ''),
  }
  const folded = foldStringData(typed)
  const named = withName(folded, olds.value, nameOfUrn(urn), seed)
  const object = await withNamespace(named, context)
  const secrets = secretPaths(object, news.secrets).filter((path) => at(object, path) !== undefined)
  return markObject(object, secrets, new Set())
}
