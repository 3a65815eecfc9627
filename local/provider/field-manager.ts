import { createHash } from 'node:crypto'
import { at, isMap, text, type JsonMap } from './values.ts'

export const FIELD_MANAGER = '__fieldManager'
export const INITIAL_API_VERSION = '__initialApiVersion'
export const INPUTS = '__inputs'
/** The object's resourceVersion as our last apply left it; the official provider passes over it. */
export const APPLIED = '__appliedResourceVersion'

/**
 * Named like the official provider's, but drawn from the URN instead of chance: an `up` that was
 * killed between the API call and the engine's record finds its own object again by this name.
 */
export const fieldManagerFor = (urn: string): string =>
  `pulumi-kubernetes-${createHash('sha256').update(urn).digest('hex').slice(0, 8)}`

export const fieldManagerOf = (state: JsonMap, urn: string): string =>
  text(state[FIELD_MANAGER]) ?? fieldManagerFor(urn)

export function isAppliedBy(live: JsonMap, manager: string): boolean {
  const fields = at(live, ['metadata', 'managedFields'])
  return (
    Array.isArray(fields) &&
    fields.some((one) => isMap(one) && one.manager === manager && one.operation === 'Apply')
  )
}
