import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { parse } from 'yaml'

type JsonMap = Readonly<Record<string, unknown>>

/** What a kubeconfig shows of one cluster and one user. */
export interface PlainLogin {
  readonly server: string
  readonly namespace: string | undefined
  readonly tls: {
    readonly ca?: Buffer
    readonly cert?: Buffer
    readonly key?: Buffer
    readonly servername?: string
    readonly rejectUnauthorized?: false
  }
  readonly token: string | undefined
}

const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const OF_CLUSTER = [
  'certificate-authority',
  'server',
  'tls-server-name',
  'insecure-skip-tls-verify',
]
const OF_USER = ['client-certificate', 'client-key', 'token']

/** An entry of a list of named ones, such as `clusters` with `cluster` in each. */
function entry(config: JsonMap, kind: string, name: string | undefined): JsonMap | undefined {
  const list = config[`${kind}s`]
  const all = Array.isArray(list) ? list.filter(isMap).filter((one) => one['name'] === name) : []
  const found = all.length === 1 ? all[0]?.[kind] : undefined
  return isMap(found) ? found : undefined
}

const knows = (fields: JsonMap, names: readonly string[]): boolean =>
  Object.keys(fields).every((field) => names.includes(field.replace(/-data$/, '')))

/** Content of a file that is named, or given in base64 itself; `undefined` where the two could differ. */
function content(fields: JsonMap, name: string): Buffer | '' | undefined {
  const [path, data] = [text(fields[name]), text(fields[`${name}-data`])]
  if (path !== undefined && data !== undefined) return undefined
  if (data !== undefined) return Buffer.from(data, 'base64')
  if (path === undefined) return ''
  return isAbsolute(path) ? readFileSync(path) : undefined
}

interface Chosen {
  readonly server: string
  readonly namespace: string | undefined
  readonly cluster: JsonMap
  readonly user: JsonMap
}

/** What the context names, where all of it is known here. */
function choose(root: JsonMap, wanted: string | undefined): Chosen | undefined {
  const context = entry(root, 'context', wanted ?? text(root['current-context'])) ?? {}
  const cluster = entry(root, 'cluster', text(context['cluster'])) ?? {}
  const user = entry(root, 'user', text(context['user']))
  const server = text(cluster['server'])
  if (!user || !server || !knows(cluster, OF_CLUSTER) || !knows(user, OF_USER)) return undefined
  return { server, namespace: text(context['namespace']), cluster, user }
}

function tlsOf({ cluster, user }: Chosen): PlainLogin['tls'] | undefined {
  const contents = {
    ca: content(cluster, 'certificate-authority'),
    cert: content(user, 'client-certificate'),
    key: content(user, 'client-key'),
  }
  if (Object.values(contents).includes(undefined)) return undefined
  const given = { ...contents, servername: text(cluster['tls-server-name']) }
  const tls = Object.fromEntries(Object.entries(given).filter(([, value]) => value))
  return cluster['insecure-skip-tls-verify'] === true ? { ...tls, rejectUnauthorized: false } : tls
}

/**
 * What a kubeconfig says that shows a certificate or a token, as those of `make up`, of kind and of tests do. The
 * client library reads all kinds, and loads the models of the whole API for it: most of a second in every start.
 * @param kubeconfig its text
 * @param context another one than the current
 * @returns nothing where the kubeconfig holds anything else, which is for the library to read or to refuse
 */
export function plainLogin(kubeconfig: string, context?: string): PlainLogin | undefined {
  const root = parse(kubeconfig) as unknown
  const chosen = isMap(root) ? choose(root, context) : undefined
  const tls = chosen && tlsOf(chosen)
  if (!chosen || !tls) return undefined
  const { server, namespace, user } = chosen
  return { server, namespace, tls, token: text(user['token']) || undefined }
}
