import { randomUUID } from 'node:crypto'
import { generatePassword } from '#core/password'
import type { DevelopmentUser } from './development-users.ts'
import { hashPassword } from './password-hash.ts'

export const DEVELOPMENT_EMAIL = 'dev@palisade.localhost'

/** The user that a first start makes, and the body of their login request, which is the one place of the password. */
export async function makeDevelopmentAdministrator(): Promise<{
  readonly user: DevelopmentUser
  readonly login: string
}> {
  const password = generatePassword()
  const user: DevelopmentUser = {
    id: randomUUID(),
    tenantId: randomUUID(),
    email: DEVELOPMENT_EMAIL,
    role: 'admin',
    passwordHash: await hashPassword(password),
  }
  return { user, login: JSON.stringify({ email: DEVELOPMENT_EMAIL, password }) }
}
