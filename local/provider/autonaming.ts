import { createHash } from 'node:crypto'
import { annotation, AUTONAMED, nameOf } from './kubernetes/object.ts'
import { isMap, type JsonMap } from './values.ts'

export const isAutonamed = (object: JsonMap): boolean => annotation(object, AUTONAMED) === 'true'

/** Kubernetes keeps 8 of its characters for suffixes of its own below 63. */
const MAX_NAME = 253

function named(object: JsonMap, name: string): JsonMap {
  const metadata = isMap(object.metadata) ? object.metadata : {}
  const annotations = isMap(metadata.annotations) ? metadata.annotations : {}
  return {
    ...object,
    metadata: { ...metadata, name, annotations: { ...annotations, [AUTONAMED]: 'true' } },
  }
}

/**
 * Gives a name to an object that has none: the one it had before, or the resource's name with eight
 * hexadecimal digits drawn from the engine's seed. The name is part of the inputs, so it stays.
 */
export function withName(
  object: JsonMap,
  old: JsonMap,
  resource: string,
  seed: Uint8Array,
): JsonMap {
  if (nameOf(object) !== undefined) return object
  const before = isAutonamed(old) ? nameOf(old) : undefined
  if (before !== undefined) return named(object, before)
  const suffix = createHash('sha256').update(seed).digest('hex').slice(0, 8)
  return named(object, `${resource.slice(0, MAX_NAME - 9).toLowerCase()}-${suffix}`)
}
