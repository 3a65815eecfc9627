import { isDeepStrictEqual } from 'node:util'
import { isMap, type Json, type Path } from './values.ts'

export interface FieldChange {
  readonly path: Path
  readonly kind: 'add' | 'delete' | 'update'
}

/** Written by the API server on every change; no one decides them. */
const SERVER_FIELDS = new Set([
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.creationTimestamp',
  'metadata.uid',
  'metadata.selfLink',
  'status',
])

/** Differences of two values, each at the deepest path that names it. */
export function diffFields(
  before: Json | undefined,
  after: Json | undefined,
  path: Path = [],
): FieldChange[] {
  if (before === undefined && after === undefined) return []
  if (before === undefined) return [{ path, kind: 'add' }]
  if (after === undefined) return [{ path, kind: 'delete' }]
  if (isMap(before) && isMap(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].sort().flatMap((key) => diffFields(before[key], after[key], [...path, key]))
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    return Array.from({ length }, (_, index) =>
      diffFields(before[index], after[index], [...path, index]),
    ).flat()
  }
  return isDeepStrictEqual(before, after) ? [] : [{ path, kind: 'update' }]
}

/** What an apply would change in the object as the cluster has it. */
export const diffObjects = (live: Json, applied: Json): FieldChange[] =>
  diffFields(live, applied).filter(
    ({ path }) => !SERVER_FIELDS.has(path.slice(0, 2).join('.')) && path[0] !== 'status',
  )
