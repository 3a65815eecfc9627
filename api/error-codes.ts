import { COMMAND_ERRORS } from './errors/commands.ts'
import { DEPENDENCY_ERRORS } from './errors/dependencies.ts'
import type { CatalogueEntry } from './errors/entry.ts'
import { REQUEST_ERRORS } from './errors/requests.ts'
import { ROTATION_ERRORS } from './errors/rotation.ts'

export const ERROR_GROUPS = {
  Requests: REQUEST_ERRORS,
  Dependencies: DEPENDENCY_ERRORS,
  Rotation: ROTATION_ERRORS,
  'Configuration and commands': COMMAND_ERRORS,
} as const

/** Every error that Palisade can answer or put into a condition. A code is never reused. */
export const ERROR_CODES = {
  ...REQUEST_ERRORS,
  ...DEPENDENCY_ERRORS,
  ...ROTATION_ERRORS,
  ...COMMAND_ERRORS,
} as const satisfies Record<`ERR_${string}`, CatalogueEntry>

export type ErrorCode = keyof typeof ERROR_CODES
