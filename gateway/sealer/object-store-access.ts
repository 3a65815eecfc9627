import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import type { ObjectStoreAccess } from './object-store.ts'

/**
 * The credential as a Secret is mounted: access-key-id and secret-access-key, and where they are needed session-token
 * and ca.crt. Read each time, so that a rotated one is used at the next request without a restart.
 */
export const accessFiles = (directory: string) => async (): Promise<ObjectStoreAccess> => {
  const read = (name: string) =>
    readFile(join(directory, name), 'utf8').then(
      (text) => text.trim() || undefined,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      },
    )
  const [accessKeyId, secretAccessKey, sessionToken, ca] = await Promise.all(
    ['access-key-id', 'secret-access-key', 'session-token', 'ca.crt'].map(read),
  )
  if (!accessKeyId || !secretAccessKey) {
    throw new PalisadeError(
      'ERR_CONFIG_INVALID',
      `${directory} holds no access-key-id and secret-access-key`,
      { remedy: 'make the Secret that palisade:audit.objectStore names, with these keys' },
    )
  }
  return {
    accessKeyId,
    secretAccessKey: Sealed.of(secretAccessKey),
    ...(sessionToken ? { sessionToken: Sealed.of(sessionToken) } : {}),
    ...(ca ? { ca } : {}),
  }
}
