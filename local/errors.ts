/** An expected failure of the local commands: a code to search for, what happened, and the next step. */
export class LocalError extends Error {
  override readonly name = 'LocalError'
  readonly code: `ERR_${string}`
  readonly remedy: string

  constructor(code: `ERR_${string}`, detail: string, remedy: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause })
    this.code = code
    this.remedy = remedy
  }
}

/** One paragraph for a terminal; an unexpected error keeps its stack, an expected one needs none. */
export function explain(error: unknown): string {
  if (error instanceof LocalError) {
    const reason = error.cause instanceof Error ? `\n  cause: ${error.cause.message}` : ''
    return `${error.code}: ${error.message}${reason}\n  → ${error.remedy}`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
