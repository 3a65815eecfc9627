import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import type { VaultClient } from './vault-client.ts'
import { VaultKv } from './vault-kv.ts'

const OPERATOR_ROLE = 'palisade-operator'
const TIMEOUT_MS = 10_000

export interface BackendLogin {
  readonly username: string
  readonly password: Sealed<string>
  /** Authority of the server's certificate, where it is kept beside. */
  readonly ca?: string
}

/** The operator's own login as it lies in the secret store, under `spec.credential.vaultPath`. */
export type KeptLogins = (vaultPath: string) => Promise<BackendLogin>

/** Logins to backends that no certificate opens: `platform/backends/<name>`, which the operator may read. */
export function createKeptLogins(vault: VaultClient): KeptLogins {
  return async (vaultPath) => {
    const [mount = '', ...rest] = vaultPath.split('/')
    const kv = new VaultKv(vault, mount)
    const found = await kv.read(OPERATOR_ROLE, rest.join('/'), AbortSignal.timeout(TIMEOUT_MS))
    const { username, password, ca } = found?.value ?? {}
    if (typeof username !== 'string' || typeof password !== 'string') {
      throw new PalisadeError(
        'ERR_BACKEND_REFUSED',
        `${vaultPath} holds no username and password`,
        { remedy: 'write them there, as the backend knows them' },
      )
    }
    return { username, password: Sealed.of(password), ...(typeof ca === 'string' ? { ca } : {}) }
  }
}
