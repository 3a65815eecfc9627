import { LocalError } from '../errors.ts'

export type Json = null | boolean | number | string | Json[] | JsonMap
export interface JsonMap {
  [key: string]: Json
}
export type Path = readonly (string | number)[]

// Wire marks of the engine's property values.
const SIGNATURE = '4dabf18193072939515e22adb298388d'
const SECRET = '1b47061264138c4ac30d75fd1eb44270'
const RESOURCE = '5cf8f73096256a8f31e491e813e4eb8e'
const OUTPUT = 'd0e6a833031e9bbcd3f4e8bde6ca49a4'
const ASSET = 'c44067f5952c0a294b673a41bacd8c17'
const ARCHIVE = '0def7320c3a5731c473e5ecbe6d01bc7'

/** Stands for a value that is known only once something else has been made. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export interface Decoded {
  readonly value: JsonMap
  /** Where a secret begins; everything below it is secret too. */
  readonly secrets: readonly Path[]
}

/** Takes the engine's marks off a property map and remembers where secrets stood. */
export function decode(raw: unknown): Decoded {
  const secrets: Path[] = []
  const value = strip(raw ?? {}, [], secrets)
  if (!isMap(value)) throw new TypeError('a property map is expected')
  return { value, secrets }
}

function strip(raw: unknown, path: Path, secrets: Path[]): Json {
  if (Array.isArray(raw)) return raw.map((item, at) => strip(item, [...path, at], secrets))
  if (!isMap(raw)) return (raw ?? null) as Json
  switch (raw[SIGNATURE]) {
    case SECRET:
      secrets.push(path)
      return strip(raw.value, path, secrets)
    case OUTPUT:
      if (raw.secret === true) secrets.push(path)
      return 'value' in raw ? strip(raw.value, path, secrets) : UNKNOWN
    case RESOURCE:
      return raw.id ?? raw.urn ?? null
    case ASSET:
    case ARCHIVE:
      throw new LocalError(
        'ERR_PROVIDER_VALUE',
        `an asset or archive at "${formatPath(path)}" cannot be sent to Kubernetes`,
        'read the file in the program and pass its text',
      )
    default:
      return stripMap(raw, path, secrets)
  }
}

function stripMap(raw: JsonMap, path: Path, secrets: Path[]): JsonMap {
  const plain: JsonMap = {}
  for (const [key, item] of Object.entries(raw)) plain[key] = strip(item, [...path, key], secrets)
  return plain
}

/** Puts the marks of secrets back; `isSecret` is asked at every value, outermost first. */
export function encode(value: Json, isSecret: (path: Path, value: Json) => boolean): Json {
  const walk = (item: Json, path: Path): Json => {
    if (isSecret(path, item)) return { [SIGNATURE]: SECRET, value: item }
    if (Array.isArray(item)) return item.map((one, at) => walk(one, [...path, at]))
    if (!isMap(item)) return item
    return Object.fromEntries(
      Object.entries(item).map(([key, one]) => [key, walk(one, [...path, key])]),
    )
  }
  return walk(value, [])
}

export const resourceReference = (urn: string, id: string, packageVersion: string): JsonMap => ({
  [SIGNATURE]: RESOURCE,
  urn,
  id,
  packageVersion,
})

export function hasUnknown(value: Json): boolean {
  if (value === UNKNOWN) return true
  if (Array.isArray(value)) return value.some(hasUnknown)
  return isMap(value) && Object.values(value).some(hasUnknown)
}

export function at(value: Json | undefined, path: Path): Json | undefined {
  let here = value
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step]
    else if (isMap(here)) here = here[String(step)]
    else return undefined
  }
  return here
}

export const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** The engine's notation: `spec.template.metadata.labels["app.kubernetes.io/name"]`, `spec.ports[0]`. */
export function formatPath(path: Path): string {
  let out = ''
  for (const step of path) {
    if (typeof step === 'number') out += `[${step}]`
    else if (/^[\w-]+$/.test(step)) out += out === '' ? step : `.${step}`
    else out += `[${JSON.stringify(step)}]`
  }
  return out
}
