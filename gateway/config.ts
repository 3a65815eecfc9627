import { isIP } from 'node:net'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import { readDirectory, readDotEnv, readEnvironment, SettingSources } from './config-sources.ts'
import { PROFILES, type Profile } from './profile.ts'

export interface GatewayConfig {
  readonly profile: Profile
  readonly podName: string
  readonly logLevel: string
  readonly publicUrl: string
  readonly replicas: number
  readonly trustedProxies: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly bodyLimit: number
  readonly tlsDirectory: string
  readonly vault: {
    readonly address: string
    readonly role: string
    readonly authPath: string
    readonly tokenFile: string
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
 * environment outside profile dev, and `.env` is not read there: both outlive their reason and are seen by every child.
 */
export async function readGatewayConfig(
  fromVault: Readonly<Record<string, string>> = {},
  env: Environment = process.env,
  mounts: string = env['PALISADE_MOUNTS'] ?? MOUNTS,
): Promise<GatewayConfig> {
  const profile = readProfile(env['PALISADE_PROFILE'])
  const sources = new SettingSources(profile, {
    vault: fromVault,
    file: {
      ...(await readDirectory(`${mounts}/config`, '')),
      ...(await readDirectory(`${mounts}/gateway-db`, 'database.')),
      ...(await readDirectory(`${mounts}/gateway-redis`, 'redis.')),
    },
    environment: readEnvironment(env),
    dotEnv: await readDotEnv('.env'),
  })
  return Object.freeze({ profile, ...build(sources, env) })
}

function build(s: SettingSources, env: Environment): Omit<GatewayConfig, 'profile'> {
  const [redisHost, redisPort] = splitAddress('redis.addr', s.text('redis.addr'))
  return {
    podName: env['POD_NAME'] ?? 'gateway',
    logLevel: s.text('log.level', 'info'),
    publicUrl: url('public.url', s.text('public.url')),
    replicas: s.integer('replicas', { min: 1, max: 50, byDefault: 1 }),
    trustedProxies: s.list('trusted.proxies').map(cidr),
    allowedOrigins: s.list('allowed.origins').map((origin) => url('allowed.origins', origin)),
    bodyLimit: s.integer('body.limit', { min: 1024, max: 10_485_760, byDefault: 262_144 }),
    tlsDirectory: s.text('tls.dir', `${MOUNTS}/tls`),
    vault: {
      address: url('vault.addr', s.text('vault.addr')),
      role: s.text('vault.role', 'palisade-gateway'),
      authPath: s.text('vault.auth.path', 'kubernetes'),
      tokenFile: s.text('vault.token.path', '/var/run/secrets/palisade/openbao/token'),
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
