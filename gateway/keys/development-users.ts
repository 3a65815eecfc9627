import { randomUUID } from 'node:crypto'
import { generatePassword } from '#core/password'
import { PalisadeError } from '#core/problem'
import { parseDevelopmentUsers, type DevelopmentUser } from '../identity/development-users.ts'
import { hashPassword } from '../identity/password-hash.ts'
import type { Profile } from '../profile.ts'
import type { VaultKv } from './vault-kv.ts'

const PATH = 'gateway/development-users'
const EMAIL = 'dev@palisade.localhost'

/** Made on the first start in profile dev; `login` is the body of the login request, for whoever may read Vault. */
export async function loadOrMakeDevelopmentUsers(
  kv: VaultKv,
  profile: Profile,
): Promise<{ readonly users: readonly DevelopmentUser[]; readonly login: string }> {
  if (profile !== 'dev') {
    throw new PalisadeError('ERR_CONFIG_INVALID', `profile ${profile} has no development users`)
  }
  const value = await kv.readOrMake(PATH, make)
  return {
    users: parseDevelopmentUsers(value['users'] ?? '', `platform/${PATH}`),
    login: value['login'] ?? '',
  }
}

async function make(): Promise<Record<string, string>> {
  const password = generatePassword()
  const user: DevelopmentUser = {
    id: randomUUID(),
    tenantId: randomUUID(),
    email: EMAIL,
    role: 'admin',
    passwordHash: await hashPassword(password),
  }
  return { users: JSON.stringify([user]), login: JSON.stringify({ email: EMAIL, password }) }
}
