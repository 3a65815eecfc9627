/** What the API server answered instead of what was asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** metav1.Status.reason, such as `Conflict`, `Expired`, `AlreadyExists`. */
  readonly reason: string
  readonly retryAfterMs: number | undefined

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(`${status} ${reason}: ${message}`)
    this.status = status
    this.reason = reason
    this.retryAfterMs = retryAfterMs
  }
}

const has = (error: unknown, status: number): boolean =>
  error instanceof ApiError && error.status === status

export const isNotFound = (error: unknown): boolean => has(error, 404)
export const isConflict = (error: unknown): boolean => has(error, 409)

/** RBAC's own words about a namespace: what else is forbidden there would be so with every right. */
export const lacksRight = (error: unknown, namespace: string): boolean =>
  error instanceof ApiError &&
  error.status === 403 &&
  new RegExp(` cannot [a-z]+ resource ".+ in the namespace "${namespace}"`).test(error.message)

/** 410 arrives as an HTTP status and as an ERROR event inside a healthy stream; both mean: list again. */
export const isExpired = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 410 || error.reason === 'Expired')

/** Servers without streaming lists refuse the parameter as invalid; those that drop it answer 400. */
export const refusesStreamingList = (error: unknown): boolean => has(error, 422) || has(error, 400)

/** Retry-After comes as seconds; the date form is allowed by RFC 9110 10.2.3 and rare. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

interface StatusBody {
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}

export function errorFromStatus(
  body: unknown,
  httpStatus: number,
  retryAfterMs?: number,
): ApiError {
  const status = (typeof body === 'object' && body !== null ? body : {}) as StatusBody
  const seconds = status.details?.retryAfterSeconds
  return new ApiError(
    status.code ?? httpStatus,
    status.reason ?? 'Unknown',
    status.message ?? `the API server answered ${httpStatus}`,
    retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000),
  )
}
