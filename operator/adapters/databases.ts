import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import { PalisadeError } from '#core/problem'
import type { RotatingDatabase } from '../ports.ts'
import type { BackendLogin, KeptLogins } from './kept-logins.ts'
import { lateDatabase } from './late-database.ts'
import { PostgresDatabase } from './postgres.ts'

interface Open {
  readonly key: string
  readonly database: RotatingDatabase
}

/** One pool per backend, made anew when its spec or the operator's certificate changes. */
export function createDatabases(
  tlsDir: string,
  keptLogin: KeptLogins,
): {
  of(backend: RotationBackend): RotatingDatabase
  close(): Promise<void>
} {
  const open = new Map<string, Open>()
  return {
    of(backend) {
      const { name } = backend.metadata
      const { endpoint, instances, tls, credential } = backend.spec
      const files = credential.vaultPath ? undefined : certificateFiles(backend, tlsDir)
      const key = JSON.stringify([
        endpoint,
        instances,
        tls,
        credential,
        ...(files ? [files.cert, changedAt(files.cert)] : []),
      ])
      const known = open.get(name)
      if (known?.key === key) return known.database
      // Passes that still hold the old pool finish their query; the pool ends when it is idle.
      void known?.database.close()
      const database = files
        ? connect(backend, files)
        : lateDatabase(() => connectByPassword(backend, tlsDir, keptLogin))
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
      `RotationBackend "${metadata.name}" says neither a client certificate nor a path in the store`,
      { remedy: 'set spec.credential.clientCertificate or spec.credential.vaultPath' },
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

/** For servers that trust no certificate of ours; the authority may lie beside the password. */
async function connectByPassword(
  { spec }: RotationBackend,
  tlsDir: string,
  keptLogin: KeptLogins,
): Promise<RotatingDatabase> {
  const { host, port, database = '' } = spec.endpoint
  const login = await keptLogin(spec.credential.vaultPath ?? '')
  return new PostgresDatabase({
    host,
    port,
    database,
    instances: spec.instances,
    ca: authority(spec.tls, login, tlsDir),
    serverName: spec.tls.serverName,
    client: { user: login.username, password: login.password },
  })
}

function authority(
  tls: RotationBackend['spec']['tls'],
  login: BackendLogin,
  tlsDir: string,
): string {
  if (tls.trust === 'Platform') return read(join(tlsDir, 'ca.crt'))
  const ca = tls.trust === 'Bundle' ? tls.caBundle : login.ca
  if (ca) return ca
  throw new PalisadeError('ERR_BACKEND_REFUSED', 'the credential in the store carries no "ca"', {
    remedy:
      'write the authority of the server beside the password, or set spec.tls.trust to Bundle',
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
