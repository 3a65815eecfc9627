import type { JWTPayload } from 'jose'
import { ACCESS_TOKEN_SECONDS } from './access-token.ts'
import { isRole, type Role } from './roles.ts'

/** Clocks of two replicas may differ by this much. */
const SKEW_SECONDS = 30
/** The column of the version is an integer of 32 bits. */
const MAX_VERSION = 2_147_483_647
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export interface AccessClaims {
  /** The key that signed them. */
  readonly kid: string
  readonly userId: string
  readonly tenantId: string
  readonly role: Role
  readonly tokenVersion: number
  readonly tokenId: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Claims of a signed payload, or undefined when one is missing, of another type or out of its range. */
export function readAccessClaims(
  payload: JWTPayload,
  kid: string,
  now: number,
): AccessClaims | undefined {
  const { sub, tid, role, ver, jti, iat, exp, aud } = payload
  // A list of audiences is legal (RFC 7519 4.1.3) and never ours: a token for two services is good at the wrong one.
  if (typeof aud !== 'string') return undefined
  if (!isUuid(sub) || !isUuid(tid) || !isUuid(jti) || !isRole(role)) return undefined
  if (!isCount(ver) || ver > MAX_VERSION || !isCount(iat) || !isCount(exp)) return undefined
  if (iat > now + SKEW_SECONDS || exp <= now || exp - iat > ACCESS_TOKEN_SECONDS) return undefined
  return Object.freeze({
    kid,
    userId: sub,
    tenantId: tid,
    role,
    tokenVersion: ver,
    tokenId: jti,
    issuedAt: iat,
    expiresAt: exp,
  })
}

const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value)
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
