import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import { loadSigningKeys, makeSigningKey, type StoredSigningKey } from '../identity/signing-keys.ts'
import { deriveKey } from '../keys/key-file.ts'
import type { PlatformKeys } from '../keys/platform-keys.ts'

/** The gateway's own keys without Vault: MAC keys derived from the key file, signing keys in a file beside it. */
export async function loadFileKeys(
  directory: string,
  root: Sealed<Buffer>,
  clock: Clock,
): Promise<PlatformKeys> {
  const mac = (purpose: string) => [
    { id: `file-${purpose}-1`, key: Sealed.of<Uint8Array>(deriveKey(root, purpose)) },
  ]
  return {
    signing: loadSigningKeys(
      await loadOrMakeSigningKeys(join(directory, 'jwt-keys.json'), clock),
      clock.now(),
    ),
    auditMac: mac('audit-mac'),
    headMac: mac('head-mac'),
  }
}

async function loadOrMakeSigningKeys(path: string, clock: Clock): Promise<StoredSigningKey[]> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) {
    const keys = [await makeSigningKey(clock.now())]
    await writeFile(`${path}.new`, JSON.stringify(keys), { mode: 0o600 })
    await rename(`${path}.new`, path)
    return keys
  }
  try {
    return JSON.parse(text) as StoredSigningKey[]
  } catch {
    throw new PalisadeError('ERR_CONFIG_INVALID', `${path} is no JSON`, {
      remedy: 'remove the file: new keys are made, and tokens issued before end',
    })
  }
}
