import { LocalError } from '../../errors.ts'
import type { ProviderContext } from '../context.ts'
import { about } from '../kubernetes/api.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import {
  annotation,
  describeKey,
  keyOf,
  PATCH_FORCE,
  type ObjectKey,
} from '../kubernetes/object.ts'
import { redact, secretTexts } from '../secrets.ts'
import type { Decoded, JsonMap } from '../values.ts'

const holder = (message: string): string =>
  /conflict with "([^"]+)"/.exec(message)?.[1] ?? 'another manager'

function conflict(key: ObjectKey, error: ApiError): LocalError {
  const fields = error.causes.map((one) => `${one.field} is held by "${holder(one.message)}"`)
  return new LocalError(
    'ERR_FIELD_CONFLICT',
    `${describeKey(key)}: ${fields.join('; ')}`,
    `leave the field to its manager, or take it with the annotation ${PATCH_FORCE}: "true"`,
    error,
  )
}

/** Says what an API error means for this object, without any secret that the server quoted. */
export function explainApiError(key: ObjectKey, error: unknown, inputs: Decoded): unknown {
  if (!(error instanceof ApiError)) return error
  if (error.isConflict) return conflict(key, error)
  const said = redact(about(key, error), secretTexts(inputs.value, inputs.secrets))
  // The cause is left out: it would carry the unredacted words along.
  return new LocalError(
    'ERR_API_REFUSED',
    said,
    'correct what the API server names and run it again',
  )
}

export interface ApplyWish {
  readonly manager: string
  readonly dryRun: boolean
  /** Take fields from their managers; asked for by annotation or configuration otherwise. */
  readonly force?: boolean
}

export async function applyObject(
  inputs: Decoded,
  wish: ApplyWish,
  context: ProviderContext,
): Promise<JsonMap> {
  const key = keyOf(inputs.value)
  const force =
    (wish.force ?? false) ||
    context.config.patchForce ||
    annotation(inputs.value, PATCH_FORCE) === 'true'
  return context.api.apply(inputs.value, key, {
    fieldManager: wish.manager,
    force,
    dryRun: wish.dryRun,
  })
}
