import { APPLIED, FIELD_MANAGER, INITIAL_API_VERSION, INPUTS } from '../field-manager.ts'
import { apiVersionOf } from '../kubernetes/object.ts'
import { markObject, secretTexts } from '../secrets.ts'
import { at, isMap, text, type Decoded, type JsonMap } from '../values.ts'

export interface Recorded {
  readonly inputs: Decoded
  readonly manager: string
  readonly old?: JsonMap
  /** What our apply was answered, where it was one that led to this record. */
  readonly applied?: JsonMap
}

/** The engine's record of an object: the object as the cluster has it, and what we asked for. */
export function stateOf(live: JsonMap, { inputs, manager, old = {}, applied }: Recorded): JsonMap {
  const texts = secretTexts(inputs.value, inputs.secrets)
  return {
    ...markObject(live, inputs.secrets, texts),
    [FIELD_MANAGER]: manager,
    [INITIAL_API_VERSION]: text(old[INITIAL_API_VERSION]) ?? apiVersionOf(inputs.value),
    ...(applied ? { [APPLIED]: at(applied, ['metadata', 'resourceVersion']) ?? '' } : {}),
    [INPUTS]: markObject(inputs.value, inputs.secrets, texts),
  }
}

/** The inputs that made a state; older engines do not send them apart. */
export function inputsOf(state: Decoded, sent: Decoded | undefined): Decoded {
  if (sent && Object.keys(sent.value).length > 0) return sent
  const inputs = state.value[INPUTS]
  const below = state.secrets.filter((path) => path[0] === INPUTS).map((path) => path.slice(1))
  return isMap(inputs) ? { value: inputs, secrets: below } : { value: {}, secrets: [] }
}
