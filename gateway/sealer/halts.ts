import { PalisadeError } from '#core/problem'

const HALTS: ReadonlySet<string> = new Set(['ERR_AUDIT_BEHIND_CHECKPOINT', 'ERR_AUDIT_TAMPERED'])

/** Conditions that waiting does not mend: a person has to look before a record is appended. */
export const isHalt = (error: unknown): error is PalisadeError =>
  error instanceof PalisadeError && HALTS.has(error.code)
