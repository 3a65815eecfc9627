import { apiServerUrl } from '#core/api-server-url'
import { parseDuration } from '#core/duration'
import { PalisadeError } from '#core/problem'
import { parseFailpointSetting, type FailpointSetting } from './failpoints.ts'

export interface Config {
  readonly profile: 'dev' | 'staging' | 'production'
  readonly cluster: string
  readonly identity: string
  readonly namespace: string
  /** Set outside a cluster only; inside, the Pod's own files are used. */
  readonly kubeconfig: string | undefined
  /** Where the API server is inside a cluster. */
  readonly apiServer: string
  readonly tlsDir: string
  readonly vault: {
    readonly address: string
    readonly tokenFile: string
    readonly authMount: string
  }
  /** Where audit entries go; unset, they wait in the outbox and their age is a metric. */
  readonly gateway: { readonly url: string; readonly tokenFile: string } | undefined
  readonly metricsPort: number
  readonly probePort: number
  readonly concurrency: number
  readonly pollMs: number
  readonly resyncMs: number
  /** Between two tries for the lease, of whoever holds it and of whoever waits for it. */
  readonly leaseRetryMs: number
  /** How long the others wait for a holder that says nothing any more. */
  readonly leaseMs: number
  readonly failpoint: FailpointSetting | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** The only reader of the environment. What is wrong is named at once, before anything is opened. */
export function readConfig(env: Environment = process.env): Config {
  const profile = oneOf(env, 'PALISADE_PROFILE', ['dev', 'staging', 'production'], 'production')
  const namespace = env['POD_NAMESPACE'] ?? 'palisade-system'
  return {
    profile,
    cluster: required(env, 'PALISADE_CLUSTER_ID'),
    identity: env['POD_NAME'] ?? `operator-${process.pid}`,
    namespace,
    kubeconfig: env['KUBECONFIG'],
    apiServer: apiServerUrl(env),
    tlsDir: env['PALISADE_TLS_DIR'] ?? '/etc/palisade/tls',
    vault: {
      address: required(env, 'PALISADE_VAULT_ADDR'),
      tokenFile: required(env, 'PALISADE_VAULT_TOKEN_PATH'),
      authMount: env['PALISADE_VAULT_AUTH_MOUNT'] ?? 'kubernetes',
    },
    gateway: readGateway(env),
    metricsPort: integer(env, 'PALISADE_METRICS_PORT', 9464),
    probePort: integer(env, 'PALISADE_PROBE_PORT', 8081),
    concurrency: integer(env, 'PALISADE_CONCURRENCY', 16),
    pollMs: duration(env, 'PALISADE_POLL', '5s'),
    resyncMs: duration(env, 'PALISADE_RESYNC', '10m'),
    leaseRetryMs: duration(env, 'PALISADE_LEASE_RETRY', '2s'),
    leaseMs: duration(env, 'PALISADE_LEASE_DURATION', '15s'),
    failpoint: readFailpoint(env, profile),
  }
}

function readGateway(env: Environment): Config['gateway'] {
  const url = env['PALISADE_GATEWAY_URL']
  if (url === undefined || url === '') return undefined
  return { url, tokenFile: required(env, 'PALISADE_GATEWAY_TOKEN_PATH') }
}

/** A switch that kills the process must not exist where it could be set by mistake. */
function readFailpoint(env: Environment, profile: Config['profile']): FailpointSetting | undefined {
  const text = env['PALISADE_FAILPOINT']
  if (text === undefined || text === '') return undefined
  if (profile !== 'dev') throw invalid('PALISADE_FAILPOINT', 'is for profile dev only')
  try {
    return parseFailpointSetting(text)
  } catch (error) {
    throw invalid('PALISADE_FAILPOINT', (error as Error).message)
  }
}

const invalid = (name: string, problem: string): PalisadeError =>
  new PalisadeError('ERR_CONFIG_INVALID', `${name} ${problem}`)

function required(env: Environment, name: string): string {
  const value = env[name]
  if (value === undefined || value === '') throw invalid(name, 'is not set')
  return value
}

function oneOf<const T extends string>(
  env: Environment,
  name: string,
  allowed: readonly T[],
  fallback: T,
): T {
  const value = env[name] ?? fallback
  const found = allowed.find((word) => word === value)
  if (!found) throw invalid(name, `is "${value}"; it may be ${allowed.join(' or ')}`)
  return found
}

function integer(env: Environment, name: string, fallback: number): number {
  const value = Number(env[name] ?? fallback)
  if (!Number.isInteger(value) || value < 0) throw invalid(name, 'is not a whole number')
  return value
}

function duration(env: Environment, name: string, fallback: string): number {
  try {
    return parseDuration(env[name] ?? fallback)
  } catch {
    throw invalid(name, `is not a duration such as ${fallback}`)
  }
}
