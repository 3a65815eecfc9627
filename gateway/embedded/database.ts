import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { generatePassword } from '#core/password'
import { PalisadeError } from '#core/problem'
import { scramSha256Verifier } from '#core/scram'
import type { StoreOptions } from '../store/connections.ts'
import { bootstrap, migrate } from '../store/migrate.ts'
import { createDatabase, giveLocalLogin, isSuperuser } from '../store/local-login.ts'

const DATABASE = 'palisade'
const APP_LOGIN = 'palisade_app_a'
const SEALER_LOGIN = 'palisade_sealer_a'

/** How the parts of this process log in: as roles that own nothing. */
export interface Logins {
  readonly app: StoreOptions
  /** Undefined with a prepared database, whose sealer runs elsewhere. */
  readonly sealer: StoreOptions | undefined
}

/** Brings a server that we may administer to the newest schema and makes logins for this run only. */
export async function prepareOwnServer(superuser: pg.ClientConfig): Promise<Logins> {
  const database = superuser.database ?? DATABASE
  await withClient({ ...superuser, database: 'postgres' }, (client) =>
    createDatabase(client, database),
  )
  return withClient({ ...superuser, database }, prepareSchema)
}

/**
 * DATABASE_URL: a superuser's database is prepared like an embedded one, any other user must find it prepared. What
 * such a user may do is judged by the same check that the server in a cluster makes.
 */
export function prepareByUrl(url: string): Promise<Logins> {
  return withClient({ connectionString: url }, async (client) =>
    (await isSuperuser(client))
      ? prepareSchema(client)
      : { app: { connectionString: url }, sealer: undefined },
  )
}

async function prepareSchema(client: pg.Client): Promise<Logins> {
  await bootstrap(client)
  await migrate(client)
  // TLS as the URL asks for it: a server that insists on it would turn the new logins away, and one that does not would
  // read them in clear.
  const { host, port, database, ssl } = client
  const login = async (user: string): Promise<StoreOptions> => {
    const password = generatePassword()
    await giveLocalLogin(client, user, scramSha256Verifier(password, { salt: randomBytes(16) }))
    return { host, port, ssl, user, password, ...(database === undefined ? {} : { database }) }
  }
  return { app: await login(APP_LOGIN), sealer: await login(SEALER_LOGIN) }
}

async function withClient<T>(config: pg.ClientConfig, use: (client: pg.Client) => Promise<T>) {
  const client = await logIn(config)
  try {
    return await use(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function logIn(config: pg.ClientConfig): Promise<pg.Client> {
  try {
    // Reads the certificates that a URL names, and refuses one that is no URL.
    const client = new pg.Client({ ...config, connectionTimeoutMillis: 5_000 })
    // A connection that breaks between two statements fails the next one; unheard it would end the process.
    client.on('error', () => undefined)
    await client.connect()
    return client
  } catch (cause) {
    throw new PalisadeError('ERR_DATABASE_UNAVAILABLE', 'cannot log in to PostgreSQL', {
      cause,
      remedy:
        'see that the server runs, and that DATABASE_URL names it with a valid user and with the TLS that it speaks',
    })
  }
}
