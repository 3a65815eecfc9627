import { SignJWT } from 'jose'
import type { Clock } from '#core/clock'
import { uuidV7 } from '#core/uuid'
import type { Role } from './roles.ts'
import type { SigningKeys } from './signing-keys.ts'

export const ACCESS_TOKEN_SECONDS = 15 * 60

/** Who issues and who accepts: one name each, compared as a whole. */
export interface TokenAudience {
  readonly issuer: string
  readonly audience: string
}

export interface AccessTokenSubject {
  readonly userId: string
  readonly tenantId: string
  readonly role: Role
  readonly tokenVersion: number
}

/** RFC 9068 access token. It names no e-mail address and no other personal field: tokens end up in logs of others. */
export async function issueAccessToken(
  subject: AccessTokenSubject,
  keys: SigningKeys,
  { issuer, audience }: TokenAudience,
  clock: Clock,
): Promise<string> {
  const now = Math.floor(clock.now().getTime() / 1000)
  return new SignJWT({ role: subject.role, tid: subject.tenantId, ver: subject.tokenVersion })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: keys.current.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject.userId)
    .setIssuedAt(now)
    .setExpirationTime(now + ACCESS_TOKEN_SECONDS)
    .setJti(uuidV7(clock))
    .sign(keys.current.privateKey)
}
