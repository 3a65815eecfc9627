import type { TSchema } from 'typebox'
import { IngestAnswer, IngestRequest } from './audit-ingest.ts'
import { AuditExportQuery, AuditPage, AuditQuery } from './audit.ts'
import { JsonWebKeySet, LoginAnswer, LoginRequest } from './auth.ts'
import { IdempotencyHeaders } from './headers.ts'
import { Health } from './health.ts'
import {
  ListQuery,
  ReadQuery,
  SecretList,
  SecretPath,
  SecretVersion,
  StoredSecret,
  StoreSecret,
} from './secrets.ts'

/** One operation of the interface; every other answer is a Problem. */
export interface Operation {
  readonly id: string
  readonly method: 'get' | 'put' | 'post' | 'delete'
  readonly path: string
  readonly summary: string
  /** `public` needs no token; `workload` a token of Kubernetes on the internal listener. */
  readonly access: 'public' | 'workload' | `secrets:${'read' | 'write'}` | 'audit:read'
  readonly listener: 'api' | 'internal' | 'metrics'
  readonly params?: TSchema
  readonly query?: TSchema
  readonly headers?: TSchema
  readonly body?: TSchema
  readonly answer: {
    readonly status: number
    readonly schema?: TSchema
    /** Default: application/json. */
    readonly type?: string
    readonly text: string
  }
}

export const OPERATIONS: readonly Operation[] = [
  {
    id: 'login',
    method: 'post',
    path: '/api/v1/auth/login',
    summary: 'Logs in by address and password.',
    access: 'public',
    listener: 'api',
    body: LoginRequest,
    answer: { status: 200, schema: LoginAnswer, text: 'Logged in, or a second factor is needed.' },
  },
  {
    id: 'keySet',
    method: 'get',
    path: '/.well-known/jwks.json',
    summary: 'Public keys that access tokens are signed with (RFC 7517).',
    access: 'public',
    listener: 'api',
    answer: {
      status: 200,
      schema: JsonWebKeySet,
      type: 'application/jwk-set+json',
      text: 'The current and the coming keys.',
    },
  },
  {
    id: 'listSecrets',
    method: 'get',
    path: '/api/secrets',
    summary: 'Lists the secrets of the tenant, without values.',
    access: 'secrets:read',
    listener: 'api',
    query: ListQuery,
    answer: { status: 200, schema: SecretList, text: 'A page in order of name.' },
  },
  {
    id: 'readSecret',
    method: 'get',
    path: '/api/secrets/{name}',
    summary: 'Reads the current or a given version.',
    access: 'secrets:read',
    listener: 'api',
    params: SecretPath,
    query: ReadQuery,
    answer: { status: 200, schema: SecretVersion, text: 'The version with its value.' },
  },
  {
    id: 'storeSecret',
    method: 'put',
    path: '/api/secrets/{name}',
    summary: 'Stores a new version.',
    access: 'secrets:write',
    listener: 'api',
    params: SecretPath,
    headers: IdempotencyHeaders,
    body: StoreSecret,
    answer: { status: 201, schema: StoredSecret, text: 'Stored; the value is not repeated.' },
  },
  {
    id: 'deleteSecret',
    method: 'delete',
    path: '/api/secrets/{name}',
    summary: 'Deletes the secret; it can be restored.',
    access: 'secrets:write',
    listener: 'api',
    params: SecretPath,
    answer: { status: 204, text: 'Deleted.' },
  },
  {
    id: 'restoreSecret',
    method: 'post',
    path: '/api/secrets/{name}/restore',
    summary: 'Takes back a deletion.',
    access: 'secrets:write',
    listener: 'api',
    params: SecretPath,
    answer: { status: 204, text: 'Restored.' },
  },
  {
    id: 'searchAudit',
    method: 'post',
    path: '/api/v1/audit/search',
    summary: 'Finds audit records of the tenant; auditors find those of any. Recorded itself.',
    access: 'audit:read',
    listener: 'api',
    body: AuditQuery,
    answer: { status: 200, schema: AuditPage, text: 'A page in order of time.' },
  },
  {
    id: 'exportAudit',
    method: 'post',
    path: '/api/v1/audit/export',
    summary:
      'Takes records out as JSON lines, OCSF or CEF, without opening personal fields. Answers when its own record is sealed.',
    access: 'audit:read',
    listener: 'api',
    body: AuditExportQuery,
    answer: {
      status: 200,
      type: 'application/x-ndjson',
      text: 'One record a line (text/plain for CEF). Palisade-Next, where it is there, goes into after. Records of the last minute may not all be committed and are left out: nothing before Palisade-Complete-Until is still to come, so the next export goes on with that of the first page as from.',
    },
  },
  {
    id: 'ingestAudit',
    method: 'post',
    path: '/audit/ingest',
    summary: 'Takes steps of rotations into the audit log; a repeated step changes nothing.',
    access: 'workload',
    listener: 'internal',
    body: IngestRequest,
    answer: { status: 200, schema: IngestAnswer, text: 'All entries are recorded.' },
  },
  {
    id: 'readiness',
    method: 'get',
    path: '/readyz',
    summary: 'Says whether requests are served, and what that rests on.',
    access: 'public',
    listener: 'metrics',
    answer: { status: 200, schema: Health, text: 'Ready.' },
  },
]
