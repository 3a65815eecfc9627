import { PalisadeError } from '#core/problem'
import type { VaultClient } from '../keys/vault-client.ts'
import type { CheckpointSigner, CheckpointSink } from './ports.ts'

const KEY = 'audit-checkpoint'
const PLACE = 'platform/data/audit/checkpoint'

interface TransitKey {
  readonly type: string
  readonly latest_version: number
  readonly keys: Readonly<Record<string, { readonly public_key?: string }>>
}

/** Signs with the newest version of the transit key, which never leaves Vault. */
export async function vaultSigner(vault: VaultClient, name: string): Promise<CheckpointSigner> {
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
  return {
    name,
    publicKey,
    earlierKeys: Object.keys(key.keys)
      .map(Number)
      .filter((number) => number !== version)
      .map(keyOf),
    async sign(text) {
      const input = Buffer.from(text).toString('base64')
      const answer = await vault.call('POST', `transit/sign/${KEY}`, {
        input,
        key_version: version,
      })
      const { signature = '' } = (answer.body['data'] ?? {}) as { signature?: string }
      const [, , encoded = ''] = signature.split(':')
      const bytes = Buffer.from(encoded, 'base64')
      if (bytes.length !== 64) {
        throw new PalisadeError('ERR_KEYS_UNAVAILABLE', `Vault gave no signature of ${KEY}`)
      }
      return bytes
    },
  }
}

/** The newest checkpoint in KV v2, replaced by check-and-set: a sealer that slept cannot put an old one back. */
export function vaultSink(vault: VaultClient): CheckpointSink {
  let version: number | undefined
  const read = async () => {
    const { status, body } = await vault.call('GET', PLACE)
    const data = body['data'] as
      { data?: { note?: string } | null; metadata?: { version?: number } } | undefined
    version = data?.metadata?.version ?? 0
    return status === 200 ? data?.data?.note : undefined
  }
  return {
    name: 'vault',
    newest: read,
    async publish(note) {
      if (version === undefined) await read()
      const body = { data: { note }, options: { cas: version } }
      const answer = await vault.call('POST', PLACE, body)
      const written = answer.body['data'] as { version?: number } | undefined
      version = answer.status === 200 ? written?.version : undefined
      if (version === undefined) {
        throw new PalisadeError('ERR_STORE_REFUSED', `Vault answered ${answer.status} to ${PLACE}`)
      }
    },
  }
}
