import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { PalisadeError } from '#core/problem'
import type { Endpoint } from './api-client.ts'
import { bearer, tokenIn } from './endpoint.ts'

interface KubeConfigFile {
  readonly 'current-context'?: string
  readonly contexts?: readonly Named<
    'context',
    { readonly cluster: string; readonly user: string }
  >[]
  readonly clusters?: readonly Named<'cluster', ClusterEntry>[]
  readonly users?: readonly Named<'user', UserEntry>[]
}

type Named<Key extends string, T> = { readonly name: string } & Readonly<Record<Key, T>>

interface ClusterEntry {
  readonly server: string
  readonly 'certificate-authority'?: string
  readonly 'certificate-authority-data'?: string
}

interface UserEntry {
  readonly token?: string
  readonly tokenFile?: string
  readonly 'client-certificate'?: string
  readonly 'client-certificate-data'?: string
  readonly 'client-key'?: string
  readonly 'client-key-data'?: string
}

const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...['token', 'tokenFile', 'client-certificate', 'client-certificate-data'],
  ...['client-key', 'client-key-data'],
])

/**
 * What the current context of a kubeconfig names: a token, or a certificate. For every other way to log in, such as a
 * plugin, the client of the Kubernetes project is loaded; its thousand modules would be most of an operator's start.
 */
export async function endpointOf(path: string): Promise<Endpoint> {
  const file = parse(await readFile(path, 'utf8')) as KubeConfigFile
  const named = file.contexts?.find(({ name }) => name === file['current-context'])?.context
  const cluster = file.clusters?.find(({ name }) => name === named?.cluster)?.cluster
  if (!cluster) throw unusable(path, 'names no current cluster: set its current-context')
  const user = file.users?.find(({ name }) => name === named?.user)?.user ?? {}
  if (Object.keys(user).some((key) => !UNDERSTOOD.has(key))) {
    const { endpointByClient } = await import('./endpoint-by-client.ts')
    return endpointByClient(path)
  }
  const text = async (data: string | undefined, file: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString()
    return file === undefined ? undefined : readFile(resolve(dirname(path), file), 'utf8')
  }
  const [ca, cert, key] = await Promise.all([
    text(cluster['certificate-authority-data'], cluster['certificate-authority']),
    text(user['client-certificate-data'], user['client-certificate']),
    text(user['client-key-data'], user['client-key']),
  ])
  return {
    server: cluster.server,
    headers: headersOf(user, dirname(path)),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  }
}

function headersOf({ token, tokenFile }: UserEntry, dir: string): Endpoint['headers'] {
  // As kubectl has it: a file wins over a token beside it.
  if (tokenFile !== undefined) {
    const read = tokenIn(resolve(dir, tokenFile))
    return async () => bearer(await read())
  }
  return () => Promise.resolve(token === undefined ? {} : bearer(token))
}

const unusable = (path: string, problem: string) =>
  new PalisadeError('ERR_CONFIG_INVALID', `the kubeconfig ${path} ${problem}`)
