import { isIP } from 'node:net'
import { apiServerUrl } from '#core/api-server-url'
import { PalisadeError } from '#core/problem'
import type { Sealed } from '#core/sealed'
import type { ApiServerPlace } from './internal/token-reviewer.ts'
import { readDirectory, readDotEnv, readEnvironment, SettingSources } from './config-sources.ts'
import { readLogLevel } from './observe/log.ts'
import { PROFILES, type Profile } from './profile.ts'

export interface VaultPlace {
  readonly address: string
  readonly role: string
  readonly authPath: string
  readonly tokenFile: string
  /** ca.crt, tls.crt and tls.key of this pod; the CA is the one of everything inside the cluster. */
  readonly tlsDirectory: string
}

export interface GatewayConfig {
  readonly profile: Profile
  /** Names of settings that came from a source which profile dev alone takes. */
  readonly fallbacks: readonly string[]
  readonly podName: string
  readonly publicUrl: string
  readonly replicas: number
  readonly trustedProxies: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly bodyLimit: number
  readonly vault: VaultPlace
  /** Room that the database's volume has, in bytes; 0 where nobody said. */
  readonly auditVolumeBytes: number
  /** How programs of the platform are recognised on the internal listener. */
  readonly workloads: {
    readonly cluster: string
    /** Full name of the operator's service account. */
    readonly operator: string
    /** What their tokens must have been made for. */
    readonly audience: string
    readonly apiServer: ApiServerPlace
  }
  readonly redis: {
    readonly host: string
    readonly port: number
    readonly username: string
    readonly password: Sealed<string>
  }
  readonly database: {
    readonly host: string
    readonly port: number
    readonly database: string
    readonly user: string
    readonly password: Sealed<string>
  }
}

/** Where a cluster mounts what belongs to the gateway. */
const MOUNTS = '/etc/palisade'
const CIDR = /^[0-9A-Fa-f.:]+\/[0-9]{1,3}$/

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Each value from Vault KV, a mounted file, or environment and `.env`, in this order. A secret is never taken from the
 * environment outside profile dev, nor anything from `.env`: both outlive their reason and are seen by every child.
 */
export async function readGatewayConfig(
  settingsInVault: (vault: VaultPlace) => Promise<Readonly<Record<string, string>>>,
  env: Environment = process.env,
  mounts: string = env['PALISADE_MOUNTS'] ?? MOUNTS,
  dotEnv = '.env',
): Promise<GatewayConfig> {
  const profile = readProfile(env['PALISADE_PROFILE'])
  const files = {
    file: {
      ...(await readDirectory(`${mounts}/config`, '')),
      ...(await readDirectory(`${mounts}/gateway-db`, 'database.')),
      ...(await readDirectory(`${mounts}/gateway-redis`, 'redis.')),
    },
    environment: readEnvironment(env),
    dotEnv: await readDotEnv(dotEnv),
  }
  // Where Vault is cannot be asked of Vault.
  const first = new SettingSources(profile, { vault: {}, ...files })
  const vault = vaultPlace(first)
  const sources = new SettingSources(profile, { vault: await settingsInVault(vault), ...files })
  const values = build(sources, env)
  const fallbacks = [...new Set([...first.fallbacks, ...sources.fallbacks])]
  return Object.freeze({ profile, vault, fallbacks, ...values })
}

type Values = Omit<GatewayConfig, 'profile' | 'vault' | 'fallbacks'>

function build(s: SettingSources, env: Environment): Values {
  const [redisHost, redisPort] = splitAddress('redis.addr', s.text('redis.addr'))
  return {
    podName: env['POD_NAME'] ?? 'gateway',
    publicUrl: url('public.url', s.text('public.url')),
    replicas: s.integer('replicas', { min: 1, max: 50, byDefault: 1 }),
    trustedProxies: s.list('trusted.proxies').map(cidr),
    allowedOrigins: s.list('allowed.origins').map((origin) => url('allowed.origins', origin)),
    bodyLimit: s.integer('body.limit', { min: 1024, max: 10_485_760, byDefault: 262_144 }),
    auditVolumeBytes: s.integer('audit.volume.bytes', { min: 0, max: 1e15, byDefault: 0 }),
    workloads: {
      cluster: s.text('cluster.id', 'default'),
      operator: s.text('operator.account', 'system:serviceaccount:palisade-system:operator'),
      audience: s.text('internal.audience', 'palisade-gateway'),
      apiServer: {
        url: url('kubernetes.url', s.text('kubernetes.url', apiServerUrl(env))),
        directory: s.text('kubernetes.dir', '/var/run/secrets/palisade/kubernetes'),
      },
    },
    redis: {
      host: redisHost,
      port: redisPort,
      username: s.text('redis.username'),
      password: s.secret('redis.password'),
    },
    database: {
      host: s.text('database.host'),
      port: s.integer('database.port', { min: 1, max: 65_535, byDefault: 5432 }),
      database: s.text('database.dbname', 'palisade'),
      user: s.text('database.username'),
      password: s.secret('database.password'),
    },
  }
}

/** Needed before anything else can be read, and to say why it could not. */
export const gatewayLogLevel = (env: Environment = process.env) => readLogLevel('LOG_LEVEL', env)

const vaultPlace = (s: SettingSources): VaultPlace => ({
  address: url('vault.addr', s.text('vault.addr')),
  role: s.text('vault.role', 'palisade-gateway'),
  authPath: s.text('vault.auth.path', 'kubernetes'),
  tokenFile: s.text('vault.token.path', '/var/run/secrets/palisade/openbao/token'),
  tlsDirectory: s.text('tls.dir', `${MOUNTS}/tls`),
})

function readProfile(text: string | undefined): Profile {
  const profile = PROFILES.find((name) => name === text)
  if (profile) return profile
  throw new PalisadeError('ERR_CONFIG_INVALID', `PALISADE_PROFILE is "${text ?? ''}"`, {
    remedy: `set it to one of ${PROFILES.join(', ')}`,
  })
}

function splitAddress(name: string, text: string): [string, number] {
  const parts = /^(\S+):([0-9]{1,5})$/.exec(text)
  if (parts?.[1] && parts[2]) return [parts[1], Number(parts[2])]
  throw invalid(name, 'is no <host>:<port>')
}

function url(name: string, text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/$/, '')
  throw invalid(name, 'is no http(s) URL')
}

function cidr(text: string): string {
  const [address = ''] = text.split('/')
  if (CIDR.test(text) && isIP(address) !== 0) return text
  throw invalid('trusted.proxies', `holds "${text}", which is no CIDR`)
}

const invalid = (name: string, why: string) =>
  new PalisadeError('ERR_CONFIG_INVALID', `${name} ${why}`)
