import type { ProviderContext } from '../context.ts'
import { fieldManagerOf } from '../field-manager.ts'
import { parseId, parseType, typeOfUrn } from '../kubernetes/object.ts'
import { secretPaths } from '../secrets.ts'
import { isMap, type Decoded, type Json, type JsonMap } from '../values.ts'
import { stateOf } from './state.ts'

/** The live value of what the program set, and of nothing else. */
function pruneTo(shape: Json, live: Json | undefined): Json | undefined {
  if (live === undefined) return undefined
  if (isMap(shape) && isMap(live)) {
    const kept: JsonMap = {}
    for (const [key, below] of Object.entries(shape)) {
      const value = pruneTo(below, live[key])
      if (value !== undefined) kept[key] = value
    }
    return kept
  }
  if (Array.isArray(shape) && Array.isArray(live) && shape.length === live.length) {
    return shape.map((below, index) => pruneTo(below, live[index]) ?? null)
  }
  return live
}

const OF_THE_SERVER = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
]

function importable(live: JsonMap): JsonMap {
  const { status: _status, metadata, ...rest } = live
  const own = isMap(metadata) ? metadata : {}
  const kept = Object.entries(own).filter(([key]) => !OF_THE_SERVER.includes(key))
  return { ...rest, metadata: Object.fromEntries(kept) }
}

export interface ReadResult {
  readonly id: string
  readonly state: JsonMap
  readonly inputs: Decoded
}

/** The object as it is now; nothing when it is gone. Without inputs it is an import. */
export async function read(
  urn: string,
  id: string,
  state: JsonMap,
  inputs: Decoded,
  context: ProviderContext,
): Promise<ReadResult | undefined> {
  const given = { ...(parseType(typeOfUrn(urn)) ?? { apiVersion: '', kind: '' }) }
  if (typeof inputs.value.apiVersion === 'string') given.apiVersion = inputs.value.apiVersion
  if (typeof inputs.value.kind === 'string') given.kind = inputs.value.kind
  // The definition may be gone, and its objects with it.
  if (!(await context.api.discovery.find(given.apiVersion, given.kind))) return undefined
  const live = await context.api.find({ ...given, ...parseId(id) })
  if (!live) return undefined
  const known = Object.keys(inputs.value).length > 0
  const value = known ? (pruneTo(inputs.value, live) as JsonMap) : importable(live)
  const read = { value, secrets: secretPaths(value, inputs.secrets) }
  const recorded = { inputs: read, manager: fieldManagerOf(state, urn), old: state }
  return { id, inputs: read, state: stateOf(live, recorded) }
}
