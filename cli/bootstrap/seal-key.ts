import { randomBytes } from 'node:crypto'
import type { Secrets } from './secrets.ts'

const SEAL_KEY_BYTES = 32
const PLACE = { namespace: 'palisade-vault', name: 'openbao-seal-key' }

/**
 * Makes the key that seals the secret store, once. It is never replaced: a store whose key is gone cannot
 * be opened by anybody, so a damaged Secret is reported and left as it is.
 */
export const makeSealKey = async (
  secrets: Secrets,
  random: (size: number) => Buffer = randomBytes,
): Promise<'created' | 'exists'> => {
  const made = await secrets.create(PLACE, { key: random(SEAL_KEY_BYTES) })
  if (made === 'created') return made
  const { key } = await secrets.read(PLACE)
  if (key?.length !== SEAL_KEY_BYTES) {
    throw new Error(
      `ERR_SEAL_KEY_DAMAGED: Secret ${PLACE.namespace}/${PLACE.name} holds ${key?.length ?? 0} bytes under "key", not ${SEAL_KEY_BYTES}; put the escrowed key back`,
    )
  }
  return made
}
