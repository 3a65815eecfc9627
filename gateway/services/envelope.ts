import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { canonicalJson } from '#core/canonical-json'
import { PalisadeError } from '#core/problem'
import type { SealedVersion } from '../ports/secrets.ts'
import type { DataKeys } from './data-keys.ts'

const ENVELOPE_FORMAT = 1
const ALGORITHM = 'A256GCM'
const TAG_BYTES = 16

/** What a ciphertext is bound to: a row moved to another place, or an older one put back, does not open. */
export interface EnvelopeContext {
  readonly tenantId: string
  readonly secretId: string
  readonly version: number
  readonly purpose: 'secret-value'
}

const aadOf = (context: EnvelopeContext, format: number, algorithm: string) =>
  Buffer.from(
    canonicalJson({
      format,
      algorithm,
      tenant: context.tenantId,
      secret: context.secretId,
      version: context.version,
      purpose: context.purpose,
    }),
  )

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

/** Encrypts with a data key that is made here, used once and kept only wrapped. */
export async function sealValue(
  plaintext: Uint8Array,
  context: EnvelopeContext,
  keys: DataKeys,
): Promise<SealedVersion> {
  const aad = aadOf(context, ENVELOPE_FORMAT, ALGORITHM)
  const dataKey = randomBytes(32)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce).setAAD(aad)
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  // The wrap itself carries no associated data, since such a wrap cannot be re-wrapped; the digest binds instead.
  const wrappedKey = await keys.wrap(context.tenantId, Buffer.concat([dataKey, digest(aad)]))
  dataKey.fill(0)
  return {
    version: context.version,
    format: ENVELOPE_FORMAT,
    algorithm: ALGORITHM,
    nonce,
    ciphertext,
    wrappedKey,
  }
}

export async function openValue(
  sealed: SealedVersion,
  context: EnvelopeContext,
  keys: DataKeys,
): Promise<Buffer> {
  if (sealed.format !== ENVELOPE_FORMAT || sealed.version !== context.version) throw unreadable()
  const aad = aadOf(context, sealed.format, sealed.algorithm)
  const wrapped = await keys.unwrap(context.tenantId, sealed.wrappedKey)
  const dataKey = wrapped.subarray(0, 32)
  const bound = wrapped.subarray(32)
  if (bound.length !== 32 || !timingSafeEqual(bound, digest(aad))) throw unreadable()
  const end = sealed.ciphertext.length - TAG_BYTES
  if (end < 0) throw unreadable()
  try {
    const decipher = createDecipheriv('aes-256-gcm', dataKey, sealed.nonce, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(aad).setAuthTag(sealed.ciphertext.subarray(end))
    return Buffer.concat([decipher.update(sealed.ciphertext.subarray(0, end)), decipher.final()])
  } catch {
    throw unreadable()
  }
}

const unreadable = () =>
  new PalisadeError('ERR_SECRET_UNREADABLE', 'the stored version does not authenticate')
