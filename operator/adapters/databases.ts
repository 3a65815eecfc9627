import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import { PalisadeError } from '#core/problem'
import type { RotatingDatabase } from '../ports.ts'
import { PostgresDatabase } from './postgres.ts'

interface Open {
  readonly key: string
  readonly database: RotatingDatabase
}

/** One pool per backend, made anew when its spec or the operator's certificate changes. */
export function createDatabases(tlsDir: string): {
  of(backend: RotationBackend): RotatingDatabase
  close(): Promise<void>
} {
  const open = new Map<string, Open>()
  return {
    of(backend) {
      const { name } = backend.metadata
      const files = certificateFiles(backend, tlsDir)
      const key = JSON.stringify([
        backend.spec.endpoint,
        backend.spec.instances,
        backend.spec.tls,
        files.cert,
        changedAt(files.cert),
      ])
      const known = open.get(name)
      if (known?.key === key) return known.database
      // Passes that still hold the old pool finish their query; the pool ends when it is idle.
      void known?.database.close()
      const database = connect(backend, files)
      open.set(name, { key, database })
      return database
    },
    async close() {
      await Promise.all([...open.values()].map(({ database }) => database.close()))
    },
  }
}

function certificateFiles({ metadata, spec }: RotationBackend, tlsDir: string) {
  const certificate = spec.credential.clientCertificate
  if (!certificate) {
    throw new PalisadeError(
      'ERR_BACKEND_REFUSED',
      `RotationBackend "${metadata.name}" gives no client certificate`,
      {
        remedy: 'set spec.credential.clientCertificate: Postgres backends are reached by it alone',
      },
    )
  }
  const dir = join(tlsDir, certificate.secretName)
  const at = (file: string) => join(dir, file)
  return { user: certificate.user, cert: at('tls.crt'), key: at('tls.key'), ca: at('ca.crt') }
}

function connect(
  { spec }: RotationBackend,
  files: ReturnType<typeof certificateFiles>,
): RotatingDatabase {
  const { host, port, database = '' } = spec.endpoint
  const ca = spec.tls.trust === 'Bundle' ? spec.tls.caBundle : read(files.ca)
  return new PostgresDatabase({
    host,
    port,
    database,
    instances: spec.instances,
    ca,
    serverName: spec.tls.serverName,
    client: { user: files.user, cert: read(files.cert), key: read(files.key) },
  })
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new PalisadeError(
      'ERR_BACKEND_UNREACHABLE',
      `the client certificate ${file} cannot be read`,
      {
        cause: error,
        remedy: 'mount the Secret that spec.credential.clientCertificate names into the operator',
      },
    )
  }
}

function changedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
