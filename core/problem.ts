import { ERROR_CODES, type ErrorCode } from '#api/error-codes'
import type { Problem } from '#api/rest/problem'

export interface PalisadeErrorOptions extends ErrorOptions {
  /** Replaces the catalogue's way out where the place knows a better one. */
  readonly remedy?: string
}

/** A failure that a person can act on: a code of the catalogue, what happened here, and the way out. */
export class PalisadeError extends Error {
  override readonly name = 'PalisadeError'
  readonly code: ErrorCode
  readonly detail: string
  readonly remedy: string

  /** @param detail what happened here; never a secret value, not even part of one */
  constructor(code: ErrorCode, detail: string, options: PalisadeErrorOptions = {}) {
    const remedy = options.remedy ?? ERROR_CODES[code].remedy
    super(`${code}: ${detail}; ${remedy}`, 'cause' in options ? { cause: options.cause } : {})
    this.code = code
    this.detail = detail
    this.remedy = remedy
  }

  get status(): number {
    return ERROR_CODES[this.code].status
  }
}

/** RFC 9457 body. An error outside the catalogue tells a client nothing about itself. */
export function toProblem(error: unknown, instance?: string): Problem {
  const known =
    error instanceof PalisadeError
      ? error
      : new PalisadeError('ERR_INTERNAL', 'the request could not be completed')
  const { status, title } = ERROR_CODES[known.code]
  return {
    type: `https://palisade.dev/errors/${known.code}`,
    title,
    status,
    detail: known.detail,
    code: known.code,
    remedy: known.remedy,
    ...(instance === undefined ? {} : { instance }),
  }
}
