import { awaitReady } from '../await/ready.ts'
import type { ProviderContext } from '../context.ts'
import { fieldManagerOf } from '../field-manager.ts'
import { idOf, keyOf } from '../kubernetes/object.ts'
import { hasUnknown, type Decoded, type JsonMap } from '../values.ts'
import { applyObject, explainApiError } from './apply.ts'
import { stateOf } from './state.ts'

export async function update(
  urn: string,
  old: JsonMap,
  inputs: Decoded,
  options: { preview: boolean; timeoutSeconds: number },
  context: ProviderContext,
): Promise<JsonMap> {
  const manager = fieldManagerOf(old, urn)
  const key = keyOf(inputs.value)
  try {
    if (options.preview) {
      const planned = hasUnknown(inputs.value)
        ? inputs.value
        : await applyObject(inputs, { manager, dryRun: true, force: true }, context)
      return stateOf(planned, { inputs, manager, old })
    }
    const applied = await applyObject(inputs, { manager, dryRun: false }, context)
    const id = idOf(keyOf(applied))
    const record = (live: JsonMap) => ({
      id,
      state: stateOf(live, { inputs, manager, old, applied }),
    })
    const { timeoutSeconds } = options
    return record(await awaitReady(applied, { urn, timeoutSeconds }, context, record)).state
  } catch (error) {
    throw explainApiError(key, error, inputs)
  }
}
