import { LocalError } from '../../errors.ts'
import { awaitReady } from '../await/ready.ts'
import type { ProviderContext } from '../context.ts'
import { pauseFor } from '../pause.ts'
import { fieldManagerFor, isAppliedBy } from '../field-manager.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import { describeKey, idOf, keyOf, type ObjectKey } from '../kubernetes/object.ts'
import { at, hasUnknown, type Decoded, type JsonMap } from '../values.ts'
import { applyObject, explainApiError } from './apply.ts'
import { stateOf } from './state.ts'

export interface Made {
  readonly id: string
  readonly state: JsonMap
}

/** Server-side apply takes over what exists; only what this resource itself made may be taken over. */
async function refuseForeign(
  key: ObjectKey,
  manager: string,
  context: ProviderContext,
): Promise<void> {
  for (;;) {
    const live = await context.api.find(key)
    if (!live) return
    if (at(live, ['metadata', 'deletionTimestamp']) === undefined) {
      if (isAppliedBy(live, manager)) return
      throw new LocalError(
        'ERR_OBJECT_EXISTS',
        `${describeKey(key)} exists already and was not made by this resource`,
        'import it (resource option import), give another name, or delete it',
      )
    }
    await pauseFor(500, context.api.signal)
    context.api.signal.throwIfAborted()
  }
}

/** What a creation would give, or the inputs where its surroundings are still to be made. */
async function previewCreate(
  inputs: Decoded,
  manager: string,
  context: ProviderContext,
): Promise<JsonMap> {
  const { value } = inputs
  const key = keyOf(value)
  if (hasUnknown(value) || !(await context.api.discovery.find(key.apiVersion, key.kind)))
    return value
  try {
    return await applyObject(inputs, { manager, dryRun: true, force: true }, context)
  } catch (error) {
    // The namespace is part of the same plan, or an admission webhook is not there yet.
    if (error instanceof ApiError && [403, 404, 500].includes(error.status)) return value
    throw error
  }
}

export async function create(
  urn: string,
  inputs: Decoded,
  options: { preview: boolean; timeoutSeconds: number },
  context: ProviderContext,
): Promise<Made> {
  const manager = fieldManagerFor(urn)
  const key = keyOf(inputs.value)
  try {
    if (options.preview) {
      const planned = await previewCreate(inputs, manager, context)
      return { id: '', state: stateOf(planned, { inputs, manager }) }
    }
    await refuseForeign(key, manager, context)
    const applied = await applyObject(inputs, { manager, dryRun: false }, context)
    const id = idOf(keyOf(applied))
    const record = (live: JsonMap): Made => ({
      id,
      state: stateOf(live, { inputs, manager, applied }),
    })
    const { timeoutSeconds } = options
    return record(await awaitReady(applied, { urn, timeoutSeconds }, context, record))
  } catch (error) {
    throw explainApiError(key, error, inputs)
  }
}
