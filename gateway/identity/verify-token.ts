import { errors, jwtVerify } from 'jose'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { readAccessClaims, type AccessClaims } from './access-claims.ts'
import type { TokenAudience } from './access-token.ts'
import type { SigningKeys } from './signing-keys.ts'
import { readTokenHeader } from './token-header.ts'
import { VerifiedTokens } from './verified-tokens.ts'

/** One answer for every defect: which check failed helps whoever forges, and is counted, not told. */
export const invalidToken = () =>
  new PalisadeError('ERR_TOKEN_INVALID', 'the access token is not valid or has ended')

export class TokenVerifier {
  readonly #keys: SigningKeys
  readonly #names: TokenAudience
  readonly #clock: Clock
  readonly #verified: VerifiedTokens

  constructor(
    keys: SigningKeys,
    names: TokenAudience,
    clock: Clock,
    verified = new VerifiedTokens(),
  ) {
    this.#keys = keys
    this.#names = names
    this.#clock = clock
    this.#verified = verified
  }

  /** Claims of a token whose signature was verified before, without waiting; undefined when it was not. */
  recall(token: string): AccessClaims | undefined {
    const known = this.#verified.find(token)
    if (!known) return undefined
    if (this.stillGood(known)) return known
    this.#verified.forget(token)
    return undefined
  }

  /** Does what `recall` does for claims that the caller kept: they end with their time or their key. */
  stillGood(claims: AccessClaims): boolean {
    return claims.expiresAt > this.#nowSeconds() && this.#keys.find(claims.kid) !== undefined
  }

  async verify(token: string): Promise<AccessClaims> {
    const known = this.recall(token)
    if (known) return known
    const header = readTokenHeader(token)
    const key = header && this.#keys.find(header.kid)
    if (!header || !key) throw invalidToken()
    const { payload } = await jwtVerify(token, key.publicKey, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer: this.#names.issuer,
      audience: this.#names.audience,
      currentDate: this.#clock.now(),
    }).catch((error: unknown) => {
      if (error instanceof errors.JOSEError) throw invalidToken()
      throw error
    })
    const claims = readAccessClaims(payload, header.kid, this.#nowSeconds())
    if (!claims) throw invalidToken()
    this.#verified.remember(token, claims)
    return claims
  }

  #nowSeconds(): number {
    return this.#clock.now().getTime() / 1000
  }
}
