import { randomBytes } from 'node:crypto'
import { PalisadeError } from '#core/problem'
import { generatePassword } from '#core/password'
import { Sealed } from '#core/sealed'
import { OPERATOR, type OperatorLogin } from '../../gateway/store/existing-database.ts'

/** As much of the client of the secret store as this needs. */
export interface Store {
  call(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
}

/** Where the operator finds it: RotationBackend `spec.credential.vaultPath`, with `data/` behind the mount. */
const PATH = 'platform/data/backends/palisade-db'

interface Kept {
  readonly data?: { readonly username: string; readonly password: string; readonly ca: string }
  readonly version: number
}

/**
 * The operator's login at a database that somebody else runs, made once; beside it the authority of the server, which
 * follows the connection Secret. Written by check-and-set, so of two Jobs at a time the first one's password counts.
 */
export async function keepOperatorLogin(
  store: Store,
  ca: string,
  random: (size: number) => Buffer = randomBytes,
): Promise<OperatorLogin> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const { data, version } = await read(store)
    const wanted = data ?? { username: OPERATOR, password: generatePassword(random), ca }
    if (data?.ca === ca || (await write(store, { ...wanted, ca }, version))) {
      return { username: wanted.username, password: Sealed.of(wanted.password) }
    }
  }
  throw new PalisadeError(
    'ERR_STORE_REFUSED',
    `${PATH} is written by somebody else at the same time`,
  )
}

async function read(store: Store): Promise<Kept> {
  const { body } = await store.call('GET', PATH)
  const found = body['data'] as
    { data?: Kept['data'] | null; metadata?: { version: number } } | undefined
  return {
    ...(found?.data ? { data: found.data } : {}),
    version: found?.metadata?.version ?? 0,
  }
}

/** False when another one wrote in between. */
async function write(store: Store, data: Kept['data'], cas: number): Promise<boolean> {
  const { status } = await store.call('POST', PATH, { data, options: { cas } })
  return status < 300
}
