import type { Clock } from '#core/clock'
import type { VaultPlace } from '../config.ts'
import { readTlsFiles } from '../tls-files.ts'
import { VaultClient } from './vault-client.ts'
import { VaultKv } from './vault-kv.ts'

/** Mount of the gateway's own keys and settings. */
const PLATFORM = 'platform'

export async function openVault(place: VaultPlace, clock: Clock) {
  const { ca } = await readTlsFiles(place.tlsDirectory)
  const client = new VaultClient(place, ca, clock)
  return { client, kv: new VaultKv(client, PLATFORM) }
}
