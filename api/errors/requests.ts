import { entry } from './entry.ts'

/** Answers to a request, whoever sends it. */
export const REQUEST_ERRORS = {
  ERR_VALIDATION: entry(400, 'The request does not fit its schema', 'correct the named field'),
  ERR_BAD_REQUEST: entry(400, 'The request cannot be read', 'send well-formed HTTP and JSON'),
  ERR_UNAUTHENTICATED: entry(
    401,
    'A token is required',
    'send "Authorization: Bearer <access token>"; get one at /api/v1/auth/login',
  ),
  ERR_TOKEN_INVALID: entry(401, 'Invalid or expired token', 'log in again or refresh the token'),
  ERR_TOKEN_REVOKED: entry(
    401,
    'The token has been revoked',
    'log in again; the account or the tenant may be locked',
  ),
  ERR_LOGIN_FAILED: entry(
    401,
    'E-mail or password is wrong',
    'check both; more than 5 attempts a minute from one address are refused',
  ),
  ERR_ACCOUNT_LOCKED: entry(
    423,
    'The account is locked',
    'wait until the time in Retry-After, or ask an administrator',
  ),
  ERR_FORBIDDEN: entry(
    403,
    'Not allowed',
    'ask the owner of the resource or an administrator for the named scope',
  ),
  ERR_ROUTE_NOT_FOUND: entry(
    404,
    'There is no such route',
    'see docs/reference/openapi.json for the routes',
  ),
  ERR_NOT_FOUND: entry(404, 'Not found', 'check the id; what you may not see answers the same'),
  ERR_METHOD_NOT_ALLOWED: entry(
    405,
    'The method is not allowed here',
    'use a method named in Allow',
  ),
  ERR_REQUEST_TIMEOUT: entry(408, 'The request took too long to arrive', 'send it again'),
  ERR_CONFLICT: entry(
    409,
    'The resource changed meanwhile',
    'read it again and repeat the change on what you read',
  ),
  ERR_AUDIT_CONFLICT: entry(
    409,
    'This step is in the audit log with other content',
    'compare both in the audit log; see docs/runbooks/AuditUndelivered.md',
  ),
  ERR_PAYLOAD_TOO_LARGE: entry(413, 'The body is too large', 'send at most the size in detail'),
  ERR_URI_TOO_LONG: entry(414, 'The request target is too long', 'shorten path and query'),
  ERR_UNSUPPORTED_MEDIA_TYPE: entry(
    415,
    'The media type is not supported',
    'send application/json',
  ),
  ERR_IDEMPOTENCY_MISMATCH: entry(
    422,
    'This Idempotency-Key was used with another body',
    'use a new key for a new request',
  ),
  ERR_MISDIRECTED: entry(
    421,
    'The request reached the wrong host',
    'use a host name that this platform serves',
  ),
  ERR_RATE_LIMITED: entry(429, 'Too many requests', 'wait for the seconds in Retry-After'),
  ERR_HEADERS_TOO_LARGE: entry(
    431,
    'The header fields are too large',
    'send fewer or shorter header fields',
  ),
  ERR_INTERNAL: entry(
    500,
    'An error on our side',
    'try again; if it stays, give the request id to the operator of the platform',
  ),
  ERR_BAD_GATEWAY: entry(
    502,
    'The service behind the edge did not answer properly',
    'try again in a few seconds',
  ),
  ERR_UNAVAILABLE: entry(503, 'The service cannot answer now', 'try again in a few seconds'),
  ERR_GATEWAY_TIMEOUT: entry(
    504,
    'The service behind the edge did not answer in time',
    'try again; reads and requests with an Idempotency-Key are safe to repeat',
  ),
} as const
