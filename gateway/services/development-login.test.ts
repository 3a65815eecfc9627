import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hashPassword, verifyPassword } from '../identity/password-hash.ts'
import { PasswordChecks } from '../identity/password-checks.ts'
import { DevelopmentLogin, type DevelopmentLoginDeps } from './development-login.ts'

const origin = { requestId: 'r', method: 'POST', route: '/', address: '::1', userAgent: '' }
const passwordHash = await hashPassword('right')
const user = { id: randomUUID(), tenantId: randomUUID(), email: 'a@test.invalid', passwordHash }

/** The login with real argon2id, and what it was asked to compute. */
function login() {
  const work: string[] = []
  const passwords = new PasswordChecks({
    verify: (password, phc) => {
      // Everything but nonce and result: variant, version, memory, passes, lanes.
      work.push(phc.split('$').slice(0, 4).join('$'))
      return verifyPassword(password, phc)
    },
  })
  const deps = { users: [{ ...user, role: 'user' }], passwords, onLogin: () => undefined }
  return { work, service: new DevelopmentLogin(deps as unknown as DevelopmentLoginDeps) }
}

describe('DevelopmentLogin', () => {
  it('does for an unknown user the work it does for a wrong password, and answers alike', async () => {
    const { work, service } = login()
    const fail = (email: string) =>
      service.login({ email, password: 'wrong' }, origin).catch((error: unknown) => error)
    const wrong = await fail(user.email)
    const unknown = await fail('nobody@test.invalid')
    expect(work).toHaveLength(2)
    expect(work[0]).toBe(work[1])
    expect(wrong).toMatchObject({ code: 'ERR_LOGIN_FAILED' })
    expect(String(unknown)).toBe(String(wrong))
  })
})
