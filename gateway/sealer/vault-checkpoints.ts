import type { NoteSigner } from '#core/audit/note'
import { PalisadeError } from '#core/problem'
import type { VaultClient } from '../keys/vault-client.ts'
import type { CheckpointSigner, CheckpointSink } from './ports.ts'
import { goesFurther } from './progress.ts'

const KEY = 'audit-checkpoint'
const PLACE = 'platform/data/audit/checkpoint'

interface TransitKey {
  readonly type: string
  readonly latest_version: number
  readonly keys: Readonly<Record<string, { readonly public_key?: string }>>
}

/** Signs with the newest version of the transit key, which never leaves Vault. */
export async function vaultSigner(
  vault: Pick<VaultClient, 'call'>,
  name: string,
): Promise<CheckpointSigner> {
  const { status, body } = await vault.call('GET', `transit/keys/${KEY}`)
  const key = body['data'] as TransitKey | undefined
  const version = key?.latest_version ?? 0
  const keyOf = (number: number) => Buffer.from(key?.keys[number]?.public_key ?? '', 'base64')
  const publicKey = keyOf(version)
  if (status !== 200 || key?.type !== 'ed25519' || publicKey.length !== 32) {
    throw new PalisadeError('ERR_KEYS_UNAVAILABLE', `transit/keys/${KEY} is no Ed25519 key`, {
      remedy: 'make it with: bao write transit/keys/audit-checkpoint type=ed25519',
    })
  }
  const signer = (number: number): NoteSigner => ({
    name,
    publicKey: keyOf(number),
    sign: (text) => signWith(vault, number, text),
  })
  const earlier = Object.keys(key.keys)
    .map(Number)
    .filter((number) => number < version)
    .sort((a, b) => a - b)
  return { ...signer(version), earlier: earlier.map(signer) }
}

async function signWith(
  vault: Pick<VaultClient, 'call'>,
  version: number,
  text: Uint8Array,
): Promise<Uint8Array> {
  const input = Buffer.from(text).toString('base64')
  const answer = await vault.call('POST', `transit/sign/${KEY}`, { input, key_version: version })
  const { signature = '' } = (answer.body['data'] ?? {}) as { signature?: string }
  const [, , encoded = ''] = signature.split(':')
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length !== 64) {
    throw new PalisadeError(
      'ERR_KEYS_UNAVAILABLE',
      `Vault gave no signature of ${KEY}, version ${version}`,
    )
  }
  return bytes
}

interface Remembered {
  readonly version: number
  readonly note: string | undefined
}

/** How often a write that somebody else forestalled is judged anew. */
const ATTEMPTS = 3

/**
 * The newest checkpoint in KV v2. What lies there is compared, and the write carries the version that was compared:
 * whoever slept in between is refused by Vault and has to compare again.
 */
export function vaultSink(vault: Pick<VaultClient, 'call'>): CheckpointSink {
  let known: Remembered | undefined
  let holds = false
  const read = async (): Promise<Remembered> => {
    const { status, body } = await vault.call('GET', PLACE)
    // Refused or failed is not empty: a place that cannot be read confirms nothing.
    if (status !== 200 && status !== 404) {
      throw new PalisadeError('ERR_STORE_REFUSED', `Vault answered ${status} for ${PLACE}`)
    }
    const data = body['data'] as
      { data?: { note?: unknown } | null; metadata?: { version?: number } } | undefined
    const found = status === 200 ? data?.data?.note : undefined
    // What is no text is no checkpoint either, and the comparison says so.
    const note = found === undefined || typeof found === 'string' ? found : JSON.stringify(found)
    holds ||= note !== undefined
    return (known = { version: data?.metadata?.version ?? 0, note })
  }
  return {
    name: 'vault',
    newest: async () => (await read()).note,
    async publish(note) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { version, note: there } = known ?? (await read())
        // Not forgotten at once, or a sealer that is behind would ask Vault with each batch.
        if (!goesFurther(note, there)) return false
        if (holds && there === undefined) {
          holds = false
          return false
        }
        // Forgotten until the answer is there: without one nobody knows what lies in Vault now.
        known = undefined
        const answer = await vault.call('POST', PLACE, {
          data: { note },
          options: { cas: version },
        })
        const written = answer.body['data'] as { version?: number } | undefined
        if (answer.status === 200 && written?.version !== undefined) {
          known = { version: written.version, note }
          holds = true
          return true
        }
      }
      throw new PalisadeError('ERR_STORE_REFUSED', `Vault refused ${ATTEMPTS} writes of ${PLACE}`)
    },
  }
}
