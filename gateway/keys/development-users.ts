import { PalisadeError } from '#core/problem'
import { makeDevelopmentAdministrator } from '../identity/development-administrator.ts'
import { parseDevelopmentUsers, type DevelopmentUser } from '../identity/development-users.ts'
import type { Profile } from '../profile.ts'
import type { VaultKv } from './vault-kv.ts'

const PATH = 'gateway/development-users'

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
  const { user, login } = await makeDevelopmentAdministrator()
  return { users: JSON.stringify([user]), login }
}
