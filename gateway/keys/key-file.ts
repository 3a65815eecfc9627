import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { chmod, open, readFile, stat } from 'node:fs/promises'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'

/** 32 random bytes as base64url, readable by the owner alone; made on the first start. */
export async function loadOrMakeKeyFile(path: string): Promise<Sealed<Buffer>> {
  await makeOnce(path)
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) {
    throw new PalisadeError('ERR_CONFIG_INVALID', `the key file ${path} is readable by others`, {
      remedy: `chmod 600 ${path}, and make new keys if somebody may have read it`,
    })
  }
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url')
  if (key.length !== 32) {
    throw new PalisadeError('ERR_CONFIG_INVALID', `the key file ${path} does not hold 32 bytes`)
  }
  return Sealed.of(key)
}

async function makeOnce(path: string): Promise<void> {
  try {
    // `wx`: of two processes that start together one makes the file and the other reads it.
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(`${randomBytes(32).toString('base64url')}\n`)
    await file.sync()
    await file.close()
    await chmod(path, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** A key for one purpose; knowing it tells nothing about the file's key or another purpose's. */
export const deriveKey = (root: Sealed<Buffer>, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', root.reveal(), Buffer.alloc(0), `palisade/${purpose}`, 32))

const PREFIX = 'file:v1:'

export function wrapWith(key: Buffer, plaintext: Uint8Array): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return PREFIX + Buffer.concat([nonce, body]).toString('base64')
}

export function unwrapWith(key: Buffer, wrapped: string): Buffer {
  const bytes = Buffer.from(wrapped.slice(PREFIX.length), 'base64')
  if (!wrapped.startsWith(PREFIX) || bytes.length < 28) throw notOurs()
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), {
      authTagLength: 16,
    })
    decipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  } catch {
    throw notOurs()
  }
}

const notOurs = () =>
  new PalisadeError('ERR_SECRET_UNREADABLE', 'the wrapped key was not made with this key file')
