import { readFile } from 'node:fs/promises'
import type pg from 'pg'
import { PalisadeError } from '#core/problem'
import type { VaultAddress } from '../keys/vault-client.ts'
import { readLogLevel, type LogLevel } from '../observe/log.ts'
import { databaseAuthority } from '../tls-files.ts'
import { accessFiles } from './object-store-access.ts'
import { ObjectStore } from './object-store.ts'

export interface SealerConfig {
  /** Names the log in its checkpoints and is the name of their key. */
  readonly log: string
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  readonly vault: VaultAddress
  readonly port: number
  readonly logLevel: LogLevel
  /** A place for checkpoints outside of the cluster. */
  readonly objectStore: ObjectStore | undefined
  /** Read again at each connection, since the credential is rotated while we run. */
  readonly database: () => Promise<pg.ClientConfig>
}

type Environment = Readonly<Record<string, string | undefined>>

export async function readSealerConfig(env: Environment = process.env): Promise<SealerConfig> {
  const clusterId = env['PALISADE_CLUSTER_ID']
  const address = env['PALISADE_VAULT_ADDR']
  if (!clusterId) throw missing('PALISADE_CLUSTER_ID')
  if (!address || !URL.canParse(address)) throw missing('PALISADE_VAULT_ADDR')
  const tlsDirectory = env['PALISADE_TLS_DIR'] ?? '/etc/palisade/tls'
  const mounts = env['PALISADE_MOUNTS'] ?? '/etc/palisade'
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'tls.crt', 'tls.key'].map((name) => read(`${tlsDirectory}/${name}`)),
  )
  const tls = { ca: ca ?? '', cert: cert ?? '', key: key ?? '' }
  return {
    log: `palisade.dev/audit/${clusterId}`,
    tls,
    port: Number(env['PALISADE_METRICS_PORT'] ?? 9464),
    logLevel: readLogLevel('LOG_LEVEL', env),
    vault: {
      address,
      authPath: env['PALISADE_VAULT_AUTH_PATH'] ?? 'kubernetes',
      role: env['PALISADE_VAULT_ROLE'] ?? 'palisade-sealer',
      tokenFile: env['PALISADE_VAULT_TOKEN_PATH'] ?? '/var/run/secrets/palisade/openbao/token',
    },
    objectStore: readObjectStore(env, `${mounts}/object-store`),
    database: async () =>
      readDatabase(
        `${mounts}/sealer-db`,
        await databaseAuthority(tls.ca, `${mounts}/database-ca/ca.crt`),
      ),
  }
}

function readObjectStore(env: Environment, directory: string): ObjectStore | undefined {
  const value = (name: string) => env[`PALISADE_OBJECT_STORE_${name}`] ?? ''
  const [endpoint, bucket, region] = ['ENDPOINT', 'BUCKET', 'REGION'].map(value)
  if (!endpoint) return undefined
  if (!bucket || !region || !/^https:\/\/[^/]+$/.test(endpoint)) {
    throw new PalisadeError('ERR_CONFIG_INVALID', 'PALISADE_OBJECT_STORE_* name no bucket', {
      remedy: 'give ENDPOINT as https://<host>, BUCKET and REGION, or none of them',
    })
  }
  const pathStyle = value('ADDRESSING') !== 'virtual-host'
  const where = { endpoint, bucket, region, prefix: value('PREFIX'), pathStyle }
  return new ObjectStore(where, accessFiles(directory))
}

async function readDatabase(directory: string, ca: string): Promise<pg.ClientConfig> {
  const value = async (name: string) => (await read(`${directory}/${name}`)).trim()
  const host = await value('host')
  return {
    host,
    port: Number(await value('port')),
    database: await value('dbname'),
    user: await value('username'),
    password: await value('password'),
    ssl: { ca, rejectUnauthorized: true },
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new PalisadeError('ERR_CONFIG_INVALID', `${path} cannot be read`, {
      cause,
      remedy: 'mount the Secret that holds it',
    })
  }
}

const missing = (name: string) => new PalisadeError('ERR_CONFIG_INVALID', `${name} is not set`)
