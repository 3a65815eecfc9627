import { randomUUID } from 'node:crypto'
import type { LoggedIn, LoginRequest } from '#api/rest/auth'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import {
  ACCESS_TOKEN_SECONDS,
  issueAccessToken,
  type TokenAudience,
} from '../identity/access-token.ts'
import type { DevelopmentUser } from '../identity/development-users.ts'
import type { PasswordChecks } from '../identity/password-checks.ts'
import { hashPassword } from '../identity/password-hash.ts'
import type { SigningKeys } from '../identity/signing-keys.ts'
import type { AuditRow } from '../ports/audit-records.ts'
import type { Caller } from '../ports/callers.ts'
import type { Store } from '../ports/store.ts'
import type { AuditWriter, Origin } from './audit.ts'

export interface DevelopmentLoginDeps {
  readonly users: readonly DevelopmentUser[]
  readonly store: Pick<Store, 'ensureUser' | 'appendAudit'>
  readonly audit: AuditWriter
  readonly keys: SigningKeys
  readonly names: TokenAudience
  readonly clock: Clock
  readonly passwords: PasswordChecks
  readonly committed: (row: AuditRow) => void
  readonly onLogin: (status: 'success' | 'failure') => void
}

/** Login against a list of users. It has no second factor and no lock-out, hence profile dev only. */
export class DevelopmentLogin {
  readonly #deps: DevelopmentLoginDeps
  readonly #byEmail: ReadonlyMap<string, DevelopmentUser>
  /** Stands in for the hash of a user that does not exist, so that both answers cost the same. */
  readonly #nobody: Promise<string>

  constructor(deps: DevelopmentLoginDeps) {
    this.#deps = deps
    this.#byEmail = new Map(deps.users.map((user) => [normal(user.email), user]))
    this.#nobody = hashPassword(randomUUID())
  }

  async login({ email, password }: LoginRequest, origin: Origin): Promise<LoggedIn> {
    const user = this.#byEmail.get(normal(email))
    const hash = user?.passwordHash ?? (await this.#nobody)
    const matches = await this.#deps.passwords.verify(password, hash)
    if (!user || !matches) {
      this.#deps.onLogin('failure')
      throw new PalisadeError('ERR_LOGIN_FAILED', 'no account has this e-mail and password')
    }
    return this.#admit(user, origin)
  }

  async #admit(user: DevelopmentUser, origin: Origin): Promise<LoggedIn> {
    const { store, audit, keys, names, clock, committed, onLogin } = this.#deps
    const { id: userId, tenantId, role, email } = user
    const { tokenVersion } = await store.ensureUser({ userId, tenantId, role })
    const caller: Caller = { userId, tenantId, roles: [role], tokenVersion, tokenId: randomUUID() }
    const row = await audit.ofCaller(caller, origin, {
      eventType: 'auth.login',
      outcome: 'success',
      subject: { kind: 'user', id: userId },
      details: { provider: 'local' },
    })
    // Recorded before the token exists: a login that cannot be recorded does not happen.
    await store.appendAudit(caller, row)
    committed(row)
    const accessToken = await issueAccessToken(
      { userId, tenantId, role, tokenVersion },
      keys,
      names,
      clock,
    )
    onLogin('success')
    return {
      accessToken,
      tokenType: 'Bearer',
      expiresIn: ACCESS_TOKEN_SECONDS,
      user: { id: userId, email, role },
    }
  }
}

const normal = (email: string) => email.normalize('NFKC').toLowerCase()
