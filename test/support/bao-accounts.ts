import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportSPKI, generateKeyPair, SignJWT } from 'jose'
import type { VaultAddress } from '../../gateway/keys/vault-client.ts'
import type { TestOpenBao } from './openbao.ts'

export interface BaoAccount {
  readonly address: VaultAddress
  readonly ca: string
}

const AUDIENCE = 'openbao'

/**
 * Programs of the platform log in as in a cluster, with its policies, but by tokens that a key of the test signs:
 * no cluster is needed to say who they are.
 */
export async function baoAccounts<Name extends string>(
  bao: TestOpenBao,
  directory: string,
  names: readonly Name[],
): Promise<Record<Name, BaoAccount>> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  await insist(bao, 'sys/auth/jwt', { type: 'jwt' })
  await insist(bao, 'auth/jwt/config', { jwt_validation_pubkeys: [await exportSPKI(publicKey)] })
  const entries = names.map(async (name) => {
    const role = `palisade-${name}`
    await insist(bao, `auth/jwt/role/${role}`, {
      role_type: 'jwt',
      user_claim: 'sub',
      bound_audiences: [AUDIENCE],
      bound_subject: name,
      token_policies: [role],
      token_no_default_policy: true,
      token_ttl: '20m',
    })
    const token = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject(name)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
    const tokenFile = join(directory, `${name}-token`)
    await writeFile(tokenFile, token, { mode: 0o600 })
    const address = { address: bao.address, authPath: 'jwt', role, tokenFile }
    return [name, { address, ca: bao.ca }] as const
  })
  return Object.fromEntries(await Promise.all(entries)) as Record<Name, BaoAccount>
}

async function insist(bao: TestOpenBao, path: string, body: object): Promise<void> {
  const answer = await bao.ask('POST', path, body)
  if (answer.status >= 300) {
    throw new Error(`OpenBao answered ${answer.status} to ${path}: ${JSON.stringify(answer.body)}`)
  }
}
