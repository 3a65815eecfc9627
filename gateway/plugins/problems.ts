import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ERROR_CODES, type ErrorCode } from '#api/error-codes'
import { PalisadeError, toProblem } from '#core/problem'
import { withRequestId } from './request-id.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

const CODE_OF_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'ERR_PAYLOAD_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'ERR_UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'ERR_BAD_REQUEST',
  FST_ERR_CTP_INVALID_JSON_BODY: 'ERR_BAD_REQUEST',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'ERR_BAD_REQUEST',
  FST_ERR_BAD_URL: 'ERR_BAD_REQUEST',
  FST_ERR_MAX_PARAM_LENGTH: 'ERR_URI_TOO_LONG',
}
const DETAIL: Partial<Record<ErrorCode, string>> = {
  ERR_PAYLOAD_TOO_LARGE: 'the body is larger than this route takes',
  ERR_UNSUPPORTED_MEDIA_TYPE: 'the body is not of a media type this route takes',
  ERR_BAD_REQUEST: 'target or body cannot be read',
}

/** Runs before the answer: a refusal is recorded first, then told. */
export type OnProblem = (
  problem: PalisadeError,
  request: FastifyRequest,
  cause: unknown,
) => Promise<void> | undefined

export function answerProblems(app: FastifyInstance, onProblem: OnProblem): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const problem = problemOf(error)
    await onProblem(problem, request, error)
    return sendProblem(problem, request, reply)
  })
  app.setNotFoundHandler(async (request, reply) => {
    const problem = new PalisadeError('ERR_ROUTE_NOT_FOUND', 'nothing is served at this path')
    await onProblem(problem, request, problem)
    return sendProblem(problem, request, reply)
  })
}

/**
 * Targets that the router refuses reach no route and no hook. Left alone they would be answered in another shape,
 * without our headers, and with the target in it.
 */
export const answerRouterErrors =
  (onProblem: OnProblem) =>
  (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error)
    void onProblem(problem, request, error)
    void sendProblem(problem, request, withRequestId(request, reply).headers(SECURITY_HEADERS))
  }

function sendProblem(problem: PalisadeError, request: FastifyRequest, reply: FastifyReply) {
  return reply
    .code(ERROR_CODES[problem.code].status)
    .header('cache-control', 'no-store')
    .headers(retryOf(problem))
    .type('application/problem+json')
    .send(toProblem(problem, request.id))
}

/** What another try may mend. A 503 that tells of a broken record is not among them. */
const PASSES_IN_SECONDS: Partial<Record<ErrorCode, number>> = {
  ERR_UNAVAILABLE: 1,
  ERR_DATABASE_UNAVAILABLE: 1,
  ERR_KEYS_UNAVAILABLE: 1,
  ERR_OUTCOME_UNKNOWN: 1,
  // Somebody has to make room first.
  ERR_AUDIT_STORAGE_FULL: 30,
}

const retryOf = ({ code }: PalisadeError): Record<string, string> => {
  const seconds = PASSES_IN_SECONDS[code]
  return seconds === undefined ? {} : { 'retry-after': String(seconds) }
}

/** Only the code of a foreign error is used, never its message: a message may quote the value that was refused. */
function problemOf(error: FastifyError): PalisadeError {
  if (error instanceof PalisadeError) return error
  if (error.validation) return new PalisadeError('ERR_VALIDATION', describeValidation(error))
  const code = CODE_OF_FASTIFY[error.code] ?? (isSyntaxError(error) ? 'ERR_BAD_REQUEST' : undefined)
  if (code) return new PalisadeError(code, DETAIL[code] ?? 'the request cannot be read')
  return new PalisadeError('ERR_INTERNAL', 'the request could not be completed', { cause: error })
}

const isSyntaxError = (error: FastifyError) =>
  error instanceof SyntaxError && error.statusCode === 400

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/

function describeValidation({ validation = [], validationContext }: FastifyError) {
  const first = validation[0]
  const path = (first?.instancePath ?? '').replaceAll('/', '.')
  const extra = first?.params['additionalProperty']
  // A name that does not look like one may be a value at the wrong place.
  const named = typeof extra === 'string' && NAME.test(extra) ? ` ("${extra}")` : ''
  return `${validationContext ?? 'request'}${path} ${first?.message ?? 'does not fit the schema'}${named}`
}
