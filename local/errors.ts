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
    return `${error.code}: ${error.message}${causesOf(error)}\n  → ${error.remedy}`
  }
  if (!(error instanceof Error)) return String(error)
  return `${error.stack ?? error.message}${causesOf(error)}`
}

/** A stack does not name the cause, which is what a reader looks for. A program's words are in the message. */
function causesOf(error: Error): string {
  const { cause } = error
  if (!(cause instanceof Error) || 'cmd' in cause) return ''
  return `\n  cause: ${cause.message}${causesOf(cause)}`
}
