import { isAutonamed } from '../autonaming.ts'
import type { ProviderContext } from '../context.ts'
import { diffFields, diffObjects, type FieldChange } from '../field-diff.ts'
import { APPLIED, fieldManagerOf } from '../field-manager.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import { apiVersionOf, keyOf, kindOf } from '../kubernetes/object.ts'
import { needsReplacement } from '../replace-fields.ts'
import { at, hasUnknown, text, type Decoded, type JsonMap, type Path } from '../values.ts'
import { applyObject, explainApiError } from './apply.ts'

export interface PlannedChange extends FieldChange {
  readonly replaces: boolean
  /** The program changed it; otherwise the cluster drifted from what the program says. */
  readonly fromInputs: boolean
}

export interface Plan {
  readonly changes: readonly PlannedChange[]
  readonly deleteBeforeReplace: boolean
}

const GONE: FieldChange = { path: ['metadata', 'uid'], kind: 'update' }

interface DryRun {
  readonly changes: readonly FieldChange[]
  /** Dotted fields that the API server calls immutable. */
  readonly immutable: readonly string[]
}

/** Nobody has written the object since our apply, so a dry run of the same inputs would change nothing. */
const isAsApplied = (live: JsonMap, state: JsonMap): boolean => {
  const [uid, version] = ['uid', 'resourceVersion'].map((name) =>
    text(at(live, ['metadata', name])),
  )
  return (
    uid !== undefined &&
    version !== undefined &&
    uid === text(at(state, ['metadata', 'uid'])) &&
    version === text(state[APPLIED])
  )
}

/**
 * Asks the API server what an apply would change in the object as it is now.
 * @param same the record of these same inputs, if they did not change
 */
async function dryRun(
  inputs: Decoded,
  manager: string,
  same: JsonMap | undefined,
  context: ProviderContext,
): Promise<DryRun> {
  const key = keyOf(inputs.value)
  if (!(await context.api.discovery.find(key.apiVersion, key.kind)))
    return { changes: [GONE], immutable: [] }
  try {
    const live = await context.api.find(key)
    if (!live) return { changes: [GONE], immutable: [] }
    if (same && isAsApplied(live, same)) return { changes: [], immutable: [] }
    const applied = await applyObject(inputs, { manager, dryRun: true, force: true }, context)
    return { changes: diffObjects(live, applied), immutable: [] }
  } catch (error) {
    if (error instanceof ApiError && error.immutableFields.length > 0) {
      return { changes: [], immutable: error.immutableFields }
    }
    throw explainApiError(key, error, inputs)
  }
}

const isSamePath = (one: Path, other: Path): boolean => one.join('\0') === other.join('\0')

const within = (path: Path, field: string): boolean => {
  const dotted = path.join('.')
  return (
    field === '' ||
    dotted === field ||
    dotted.startsWith(`${field}.`) ||
    field.startsWith(`${dotted}.`)
  )
}

function mustKeepName(before: JsonMap, after: JsonMap): boolean {
  const [old, wish] = [keyOf(before), keyOf(after)]
  return !isAutonamed(after) && old.name === wish.name && old.namespace === wish.namespace
}

export async function diff(
  urn: string,
  state: JsonMap,
  before: Decoded,
  after: Decoded,
  context: ProviderContext,
): Promise<Plan> {
  const inputs = diffFields(before.value, after.value)
  const target = { apiVersion: apiVersionOf(after.value), kind: kindOf(after.value) }
  const planned = inputs.map((change) => ({
    ...change,
    replaces: needsReplacement(target, change.path, context.config),
    fromInputs: true,
  }))
  const deleteBeforeReplace = mustKeepName(before.value, after.value)
  const replaced = planned.some((change) => change.replaces)
  // A dry run of a replacement would only be told that the field is immutable.
  if (replaced || hasUnknown(after.value))
    return { changes: planned, deleteBeforeReplace: replaced && deleteBeforeReplace }

  const same = inputs.length === 0 ? state : undefined
  const ask = () => dryRun(after, fieldManagerOf(state, urn), same, context)
  const first = await ask()
  // A controller may write between the two halves of a look; drift that stays is seen twice.
  const answer = inputs.length === 0 && first.changes.length > 0 ? await ask() : first
  const refused = planned.map((change) => ({
    ...change,
    replaces: answer.immutable.some((field) => within(change.path, field)),
  }))
  if (answer.immutable.length > 0 && !refused.some((change) => change.replaces)) {
    const drifted = answer.immutable.map((field) => ({
      path: field.split('.'),
      kind: 'update' as const,
      replaces: true,
      fromInputs: false,
    }))
    return { changes: [...refused, ...drifted], deleteBeforeReplace }
  }
  const drift = answer.changes
    .filter((change) => !inputs.some((one) => isSamePath(one.path, change.path)))
    .map((change) => ({ ...change, replaces: false, fromInputs: false }))
  return {
    changes: [...refused, ...drift],
    deleteBeforeReplace: answer.immutable.length > 0 && deleteBeforeReplace,
  }
}
