import { at, encode, isMap, type Json, type JsonMap, type Path } from './values.ts'

const startsWith = (path: Path, prefix: Path): boolean =>
  prefix.length <= path.length && prefix.every((step, index) => path[index] === step)

/** Every string below a secret, as it stands and as a Secret's `data` would carry it. */
export function secretTexts(value: JsonMap, secrets: readonly Path[]): ReadonlySet<string> {
  const texts = new Set<string>()
  const collect = (item: Json | undefined): void => {
    if (typeof item === 'string') {
      // Shorter texts ("", "1", "true") occur everywhere and would make whole objects secret.
      if (item.length < 4) return
      texts.add(item)
      texts.add(Buffer.from(item).toString('base64'))
    } else if (Array.isArray(item)) item.forEach(collect)
    else if (isMap(item)) Object.values(item).forEach(collect)
  }
  for (const path of secrets) collect(at(value, path))
  return texts
}

const isSecretObject = (value: JsonMap): boolean =>
  value.kind === 'Secret' && value.apiVersion === 'v1'

/** Where secrets stand in an object: the marked places, and all data of a Secret whoever wrote it. */
export function secretPaths(value: JsonMap, marked: readonly Path[]): Path[] {
  const always: Path[] = isSecretObject(value) ? [['data'], ['stringData']] : []
  return [...marked, ...always].filter((path) => at(value, path) !== undefined)
}

const contains = (texts: ReadonlySet<string>, value: Json): boolean =>
  typeof value === 'string' && [...texts].some((one) => value.includes(one))

/** Marks an object by place, and by text: an admission webhook may have moved a secret elsewhere. */
export function markObject(
  value: JsonMap,
  marked: readonly Path[],
  texts: ReadonlySet<string>,
): JsonMap {
  const paths = secretPaths(value, marked)
  return encode(
    value,
    (path, item) =>
      paths.some((one) => one.length === path.length && startsWith(path, one)) ||
      contains(texts, item),
  ) as JsonMap
}

/** An API server quotes what it refuses; nothing secret may follow it into a log or the engine's state. */
export function redact(message: string, texts: ReadonlySet<string>): string {
  let safe = message
  for (const one of texts) safe = safe.replaceAll(one, '[secret]')
  return safe
}
