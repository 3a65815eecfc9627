import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type pg from 'pg'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Which database: a URL from a file or the environment, or the variables that PostgreSQL's own tools read. A URL on
 * the command line is not taken, since every process on the machine could read it there.
 */
export async function databaseFrom(env: Environment = process.env): Promise<pg.ClientConfig> {
  const file = env['PALISADE_DATABASE_URL_FILE']
  const url = file ? (await readFile(file, 'utf8')).trim() : env['PALISADE_DATABASE_URL']
  const base = { application_name: 'palisade-cli', connectionTimeoutMillis: 10_000 }
  if (url) return { ...base, connectionString: url }
  const host = env['PGHOST']
  if (!host) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'no database is named', {
      remedy: 'set PALISADE_DATABASE_URL_FILE, PALISADE_DATABASE_URL, or PGHOST and its companions',
    })
  }
  const place = {
    ...base,
    host,
    port: Number(env['PGPORT'] ?? 5432),
    database: env['PGDATABASE'] ?? 'palisade',
  }
  if (env['PALISADE_DATABASE_DIR']) {
    const { ca, ...login } = await readConnection(env)
    return { ...place, ...login, ssl: { ca, rejectUnauthorized: true } }
  }
  return {
    ...place,
    ...(env['PGUSER'] ? { user: env['PGUSER'] } : {}),
    ...(await tlsFrom(env)),
  }
}

/** The connection Secret of an existing database, mounted as files: nothing of it is in the environment. */
export async function readConnection(env: Environment = process.env) {
  const dir = env['PALISADE_DATABASE_DIR'] ?? '/etc/palisade/database'
  const read = async (key: string) => {
    const text = await readFile(`${dir}/${key}`, 'utf8').catch(() => '')
    if (text.trim() !== '') return text.trim()
    throw new PalisadeError('ERR_CONFIG_INVALID', `the connection Secret has no "${key}"`, {
      remedy: 'put username, password and ca.crt (PEM of the authority of the server) into it',
    })
  }
  return {
    user: await read('username'),
    password: await read('password'),
    ca: await read('ca.crt'),
  }
}

/** A client certificate, and a server that must prove its name. */
async function tlsFrom(env: Environment): Promise<Pick<pg.ClientConfig, 'ssl'>> {
  const { PGSSLROOTCERT: ca, PGSSLCERT: cert, PGSSLKEY: key } = env
  if (!ca) return {}
  const text = (path: string) => readFile(path, 'utf8')
  return {
    ssl: {
      rejectUnauthorized: true,
      ca: await text(ca),
      ...(cert && key ? { cert: await text(cert), key: await text(key) } : {}),
    },
  }
}

/**
 * The kubeconfig of whoever calls, where kubectl looks for it: what KUBECONFIG names, else `.kube/config` at home.
 * @returns undefined where none is named and none is at home
 */
export function kubeconfigFrom(env: Environment = process.env): string | undefined {
  const [named, second] = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  // Which of them wins is a rule of its own for each field, and a mistake would open another cluster.
  if (second !== undefined) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'KUBECONFIG names more than one file', {
      remedy: 'name one: "kubectl config view --minify --flatten" writes what it needs',
    })
  }
  if (named !== undefined) return named
  const atHome = env['HOME'] ? join(env['HOME'], '.kube/config') : undefined
  return atHome !== undefined && existsSync(atHome) ? atHome : undefined
}

export interface VaultSettings {
  readonly address: string
  readonly role: string
  readonly authPath: string
  readonly tokenFile: string
  readonly caFile: string
}

export function vaultFrom(env: Environment = process.env): VaultSettings {
  const address = env['PALISADE_VAULT_ADDR']
  if (!address || !URL.canParse(address)) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'PALISADE_VAULT_ADDR is no URL')
  }
  return {
    address,
    role: env['PALISADE_VAULT_ROLE'] ?? 'palisade-onboarder',
    authPath: env['PALISADE_VAULT_AUTH_PATH'] ?? 'kubernetes',
    tokenFile: env['PALISADE_VAULT_TOKEN_PATH'] ?? '/var/run/secrets/palisade/openbao/token',
    caFile: `${env['PALISADE_TLS_DIR'] ?? '/etc/palisade/tls'}/ca.crt`,
  }
}

/** Undefined where no secret store is named. */
export const vaultIfNamed = (env: Environment = process.env): VaultSettings | undefined =>
  env['PALISADE_VAULT_ADDR'] ? vaultFrom(env) : undefined

export interface StoreNodeSettings {
  readonly pod: string
  /** Addresses of all nodes of the secret store, this one included. */
  readonly nodes: readonly string[]
  readonly caFile: string
}

export function storeNodeFrom(env: Environment = process.env): StoreNodeSettings {
  const pod = env['POD_NAME']
  const nodes = (env['PALISADE_STORE_NODES'] ?? '').split(' ').filter((address) => address !== '')
  if (!pod || nodes.length === 0) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'POD_NAME or PALISADE_STORE_NODES is not set')
  }
  return { pod, nodes, caFile: `${env['PALISADE_TLS_DIR'] ?? '/etc/palisade/tls'}/ca.crt` }
}

export interface GatewaySettings {
  readonly url: string
  /** Access token. */
  readonly token: Sealed<string>
  /** PEM of the authority of the gateway's certificate; undefined: those that the system trusts. */
  readonly caFile: string | undefined
}

/** Without TLS a token goes to whoever listens, so only to this machine. */
const keepsToken = ({ protocol, hostname }: URL) =>
  protocol === 'https:' ||
  (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))

/** A token on the command line is not taken, like the URL of a database. */
export async function gatewayFrom(env: Environment = process.env): Promise<GatewaySettings> {
  const url = env['PALISADE_URL'] ?? ''
  if (!URL.canParse(url) || !keepsToken(new URL(url))) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'PALISADE_URL is no https URL', {
      remedy: 'set it to the address of the gateway, such as https://api.palisade.localhost:8443',
    })
  }
  const file = env['PALISADE_TOKEN_FILE']
  const token = file ? (await readFile(file, 'utf8')).trim() : env['PALISADE_TOKEN']
  if (!token) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'there is no access token', {
      remedy: 'log in, and set PALISADE_TOKEN_FILE or PALISADE_TOKEN',
    })
  }
  return { url, token: Sealed.of(token), caFile: env['PALISADE_CA_FILE'] }
}
