import type { ErrorCode } from '#api/error-codes'
import { headerLines, type XssFilter } from './headers.ts'

export interface EdgeProblem {
  /** Status that the client sees. */
  readonly status: number
  /** Statuses of nginx that become it; 494 to 497 are its own and never leave it. */
  readonly from: readonly number[]
  readonly code: ErrorCode
  readonly title: string
  readonly remedy: string
  readonly retryAfter?: number
}

/** RFC 9457 for answers that nginx gives by itself. */
export const PROBLEMS: readonly EdgeProblem[] = [
  {
    status: 400,
    from: [400, 495, 496, 497],
    code: 'ERR_BAD_REQUEST',
    title: 'The request is not well-formed HTTP over TLS.',
    remedy: 'Send a well-formed request to the https port.',
  },
  {
    status: 403,
    from: [403],
    code: 'ERR_FORBIDDEN',
    title: 'The edge does not pass this request on.',
    remedy: 'Check the path and the method.',
  },
  {
    status: 404,
    from: [404],
    code: 'ERR_NOT_FOUND',
    title: 'There is nothing at this path.',
    remedy: 'Check the path against the API reference.',
  },
  {
    status: 405,
    from: [405],
    code: 'ERR_METHOD_NOT_ALLOWED',
    title: 'The path does not know this method.',
    remedy: 'Check the method against the API reference.',
  },
  {
    status: 408,
    from: [408],
    code: 'ERR_REQUEST_TIMEOUT',
    title: 'The request took too long to arrive.',
    remedy: 'Send it again on a faster connection.',
  },
  {
    status: 413,
    from: [413],
    code: 'ERR_PAYLOAD_TOO_LARGE',
    title: 'The body is larger than this path accepts.',
    remedy: 'Send a smaller body.',
  },
  {
    status: 414,
    from: [414],
    code: 'ERR_URI_TOO_LONG',
    title: 'The request line is too long.',
    remedy: 'Shorten path and query.',
  },
  {
    status: 421,
    from: [421],
    code: 'ERR_MISDIRECTED',
    title: 'This host is not served here.',
    remedy: 'Use a host name of the platform.',
  },
  {
    status: 429,
    from: [429],
    code: 'ERR_RATE_LIMITED',
    title: 'Too many requests from this address.',
    remedy: 'Wait for the time in Retry-After.',
    retryAfter: 2,
  },
  {
    status: 431,
    from: [494],
    code: 'ERR_HEADERS_TOO_LARGE',
    title: 'The header fields are too large.',
    remedy: 'Send fewer or smaller header fields.',
  },
  {
    status: 500,
    from: [500, 501, 505],
    code: 'ERR_INTERNAL',
    title: 'The edge failed.',
    remedy: 'Try again; if it persists, give the request id to whoever runs the platform.',
  },
  {
    status: 502,
    from: [502],
    code: 'ERR_BAD_GATEWAY',
    title: 'The gateway cannot be reached.',
    remedy: 'Try again later.',
    retryAfter: 5,
  },
  {
    status: 503,
    from: [503],
    code: 'ERR_UNAVAILABLE',
    title: 'The edge takes no more connections from this address.',
    remedy: 'Close connections that you do not need, then try again.',
    retryAfter: 5,
  },
  {
    status: 504,
    from: [504],
    code: 'ERR_GATEWAY_TIMEOUT',
    title: 'The gateway did not answer in time.',
    remedy:
      'Try again later; a write may have happened, so repeat it with the same Idempotency-Key.',
    retryAfter: 5,
  },
]

const location = (status: number): string => `/_edge/problem/${status}`

/** Maps what nginx found to what the client is told. */
export const errorPages = (): readonly string[] =>
  PROBLEMS.flatMap(({ status, from }) =>
    from.map((found) => `error_page ${found} =${status} ${location(status)};`),
  )

const body = ({ status, code, title, remedy }: EdgeProblem): string =>
  JSON.stringify({ type: 'about:blank', title, status, code, remedy })

/** One inner location per problem; a request from outside never reaches it. */
export const problemLocations = (xssFilter: XssFilter): readonly string[] =>
  PROBLEMS.flatMap((problem) => [
    `location = ${location(problem.status)} {`,
    '  internal;',
    // The size of the body was judged before; judged here again it would end in a page of nginx's own.
    '  client_max_body_size 0;',
    '  default_type application/problem+json;',
    ...headerLines(xssFilter).map((line) => `  ${line}`),
    '  add_header Cache-Control "no-store" always;',
    ...(problem.retryAfter === undefined
      ? []
      : [`  add_header Retry-After "${problem.retryAfter}" always;`]),
    `  return ${problem.status} '${body(problem)}';`,
    '}',
  ])
