interface CatalogueEntry {
  /** HTTP status where the error crosses HTTP; 500 for errors of commands and configuration. */
  readonly status: number
  readonly title: string
  /** The next step, as an instruction. A place that knows better gives its own. */
  readonly remedy: string
}

const entry = (status: number, title: string, remedy: string): CatalogueEntry => ({
  status,
  title,
  remedy,
})

/** Every error that Palisade can answer, print or put into a condition. A code is never reused. */
export const ERROR_CODES = {
  // Requests
  ERR_VALIDATION: entry(400, 'The request does not fit its schema', 'correct the named field'),
  ERR_BAD_REQUEST: entry(400, 'The request cannot be read', 'send well-formed HTTP and JSON'),
  ERR_UNAUTHENTICATED: entry(
    401,
    'A token is required',
    'send "Authorization: Bearer <access token>"; get one at /api/v1/auth/login',
  ),
  ERR_TOKEN_INVALID: entry(401, 'Invalid or expired token', 'log in again or refresh the token'),
  ERR_LOGIN_FAILED: entry(
    401,
    'E-mail or password is wrong',
    'check both; after 5 failures the account is locked for 15 minutes',
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
  ERR_ROUTE_NOT_FOUND: entry(404, 'There is no such route', 'see /openapi.json for the routes'),
  ERR_NOT_FOUND: entry(404, 'Not found', 'check the id; what you may not see answers the same'),
  ERR_METHOD_NOT_ALLOWED: entry(
    405,
    'The method is not allowed here',
    'use a method named in Allow',
  ),
  ERR_NOT_ACCEPTABLE: entry(406, 'No representation fits Accept', 'accept application/json'),
  ERR_REQUEST_TIMEOUT: entry(408, 'The request took too long to arrive', 'send it again'),
  ERR_CONFLICT: entry(
    409,
    'The resource changed meanwhile',
    'read it again and repeat the change on what you read',
  ),
  ERR_IDEMPOTENCY_REPLAYED: entry(
    409,
    'This key has been used, and its answer is shown once',
    'use the id in detail, or a new Idempotency-Key for a new effect',
  ),
  ERR_GONE: entry(410, 'The version is deleted', 'read another version or store a new one'),
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

  // What the gateway stands on
  ERR_DATABASE_UNAVAILABLE: entry(
    503,
    'The database cannot be reached',
    'see that Postgres is up and that its credentials are current',
  ),
  ERR_KEYS_UNAVAILABLE: entry(
    503,
    'The key store cannot be reached or is sealed',
    'unseal OpenBao and check the network policy towards it',
  ),
  ERR_AUDIT_UNAVAILABLE: entry(
    503,
    'The audit record cannot be written, so nothing was done',
    'see that the database takes writes; repeat with the same Idempotency-Key',
  ),
  ERR_AUDIT_STORAGE_FULL: entry(
    503,
    'The audit volume is almost full',
    'grow the audit volume or export and archive old records',
  ),
  ERR_AUDIT_BEHIND_CHECKPOINT: entry(
    503,
    'The audit log is behind its newest checkpoint',
    'the database was restored: two people run "palisade audit recover"',
  ),
  ERR_OUTCOME_UNKNOWN: entry(
    503,
    'It is not known whether the change was committed',
    'repeat with the same Idempotency-Key: it answers without a second effect',
  ),
  ERR_SHUTTING_DOWN: entry(
    503,
    'This replica is going down',
    'send the request again on a new connection',
  ),
  ERR_SECRET_ROLLED_BACK: entry(
    503,
    'The stored secret is older than its head record says',
    'do not use it; the database may have been restored or edited, see docs/runbooks',
  ),
  ERR_SECRET_UNREADABLE: entry(
    503,
    'The stored secret does not authenticate',
    'the row or its key was changed outside Palisade; restore it from a backup',
  ),

  // Rotation: what a condition may say
  ERR_SPEC_UNUSABLE: entry(
    422,
    'The resource cannot be carried out as written',
    'edit the named field',
  ),
  ERR_BACKEND_NOT_FOUND: entry(
    404,
    'There is no such RotationBackend',
    'create it or correct spec.source.*.connectionRef.name',
  ),
  ERR_NAMESPACE_NOT_ALLOWED: entry(
    403,
    'The RotationBackend does not serve this namespace',
    'ask the platform team to widen allowedNamespaces',
  ),
  ERR_NAME_OUTSIDE_PATTERN: entry(
    403,
    'The name does not fit the patterns of the RotationBackend',
    'choose a name that fits, it usually begins with the namespace',
  ),
  ERR_NAMESPACE_NOT_ENABLED: entry(
    403,
    'The namespace has not opted in',
    'run "palisade enable <namespace>" with a platform role',
  ),
  ERR_NOT_ENROLLED: entry(
    403,
    'The roles are not enrolled for this namespace',
    'enrol both roles for the namespace (migrator, palisade_fence.enrol)',
  ),
  ERR_CLAIMED_BY_OTHER: entry(
    409,
    'Another resource owns this role, user or path',
    'remove the claim there, or hand it over with palisade.dev/adopt: <uid of the owner>',
  ),
  ERR_STALE_FENCE: entry(
    409,
    'A newer step has been taken meanwhile',
    'nothing to do: this replica stops and reads the state again',
  ),
  ERR_PREFLIGHT_FAILED: entry(
    422,
    'The backend is not ready for this rotation',
    'mend what detail names, then wait or set palisade.dev/rotate-now',
  ),
  ERR_BACKEND_UNREACHABLE: entry(
    503,
    'The backend cannot be reached',
    'check its endpoint, its CA and the network policy towards it',
  ),
  ERR_BACKEND_REFUSED: entry(
    502,
    'The backend refused the operation',
    'compare the rights of its credential with docs/architecture/bootstrap.md',
  ),
  ERR_STORE_UNREACHABLE: entry(
    503,
    'The secret store cannot be reached or is sealed',
    'unseal OpenBao and check the network policy towards it',
  ),
  ERR_STORE_REFUSED: entry(
    403,
    'The secret store refused the path',
    'check the policy palisade-ns-<namespace> and the role of the same name',
  ),
  ERR_NEW_VALUE_REFUSED: entry(
    502,
    'The backend refuses the new value',
    'nothing was published; see the login rules of the backend (pg_hba.conf, ACL)',
  ),
  ERR_PREVIOUS_STILL_IN_USE: entry(
    409,
    'The previous user still has sessions',
    'restart the named holders, or choose overlap.onMax: Revoke',
  ),
  ERR_CONSUMER_UNHEALTHY: entry(
    503,
    'A consumer did not become healthy with the new value',
    'see the named workload; spec.onUnhealthy decides what happens to the value',
  ),
  ERR_SECRET_NOT_OURS: entry(
    409,
    'The Secret exists and is not managed by this rotation',
    'delete it or choose another spec.secret.name',
  ),

  // Configuration and commands
  ERR_CONFIG_INVALID: entry(
    500,
    'The configuration cannot be used',
    'correct the named setting; docs/reference lists them all',
  ),
  ERR_CONFIG_SOURCE_REFUSED: entry(
    500,
    'This profile does not take settings from there',
    'mount the value as a file or keep it in the secret store',
  ),
  ERR_USAGE: entry(500, 'The command was called wrongly', 'see "palisade help"'),
  ERR_NOT_ROOT: entry(
    500,
    'This needs root',
    'run it as root: it makes namespaces, mounts and cgroups',
  ),
  ERR_PORT_IN_USE: entry(500, 'A port is taken', 'stop the named process or choose another port'),
  ERR_DISK_FULL: entry(
    500,
    'There is not enough disk space',
    'free the named amount or point XDG_CACHE_HOME elsewhere',
  ),
  ERR_TOOL_MISSING: entry(
    500,
    'A tool is missing',
    'run "make up", which builds it, or put it on the PATH',
  ),
  ERR_TOOL_BUILD_FAILED: entry(
    500,
    'A tool could not be built',
    'read the named log; a broken cache is mended by "make down ARGS=--purge"',
  ),
  ERR_IMAGE_BUILD_FAILED: entry(
    500,
    'An image could not be built',
    'read the named log, then run "make up" again: finished parts are kept',
  ),
  ERR_STEP_FAILED: entry(
    500,
    'A step did not finish',
    'read the named log, then run the command again: it goes on where it stopped',
  ),
  ERR_TIMED_OUT: entry(
    500,
    'Something did not become ready in time',
    'see the named object, then run the command again',
  ),
  ERR_STACK_CONFIG_INVALID: entry(
    500,
    'The stack configuration is not valid',
    'correct the named key in Pulumi.<stack>.yaml',
  ),
  ERR_POLICY_VIOLATION: entry(
    500,
    'A rule of the policy pack is broken',
    'mend the named resource or record a dated exception',
  ),
  ERR_AUDIT_TAMPERED: entry(
    500,
    'The audit log does not prove what it claims',
    'keep the database and the checkpoints as they are and call the incident process',
  ),
  ERR_MIGRATION_FAILED: entry(
    500,
    'The database could not be migrated',
    'nothing of the failed step stays; mend the cause and run it again',
  ),
} as const satisfies Record<`ERR_${string}`, CatalogueEntry>

export type ErrorCode = keyof typeof ERROR_CODES
