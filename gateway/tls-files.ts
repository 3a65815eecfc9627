import { readFile } from 'node:fs/promises'
import type { Server } from 'node:https'
import { join } from 'node:path'
import { PalisadeError } from '#core/problem'

export interface TlsFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export async function readTlsFiles(directory: string): Promise<TlsFiles> {
  const read = (name: string) =>
    readFile(join(directory, name), 'utf8').catch((cause: unknown) => {
      throw new PalisadeError('ERR_CONFIG_INVALID', `${join(directory, name)} cannot be read`, {
        cause,
        remedy: 'mount the TLS Secret of the gateway there',
      })
    })
  const [ca, cert, key] = await Promise.all([read('ca.crt'), read('tls.crt'), read('tls.key')])
  return { ca, cert, key }
}

/** The authority of somebody else's database, where one is mounted; our own databases have the platform's. */
export async function databaseAuthority(
  platformCa: string,
  file = '/etc/palisade/database-ca/ca.crt',
): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return platformCa
    throw error
  })
}

export const serverTls = ({ cert, key }: TlsFiles) =>
  ({ cert, key, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }) as const

/** Takes a renewed certificate over without a restart; connections that are open keep the one they began with. */
export async function renewTls(
  directory: string,
  known: TlsFiles,
  servers: readonly Server[],
): Promise<TlsFiles> {
  const now = await readTlsFiles(directory)
  if (now.cert !== known.cert) for (const server of servers) server.setSecureContext(serverTls(now))
  return now
}
