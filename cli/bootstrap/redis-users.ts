import { createHash, randomBytes } from 'node:crypto'
import type { Secrets } from './secrets.ts'

const LOGIN = { namespace: 'palisade-system', name: 'gateway-redis' }
const ACL = { namespace: 'palisade-data', name: 'redis-acl' }
const USER = 'gateway'

/**
 * One user per program, known to the server by a digest alone. Nobody may administer the server over the
 * network; INFO is what clients ask to see whether it has loaded its data.
 */
export const renderAcl = (password: string): string =>
  [
    'user default off resetpass resetkeys resetchannels -@all',
    `user ${USER} on #${createHash('sha256').update(password).digest('hex')} ~* &* +@all -@admin -@dangerous +info`,
    '',
  ].join('\n')

/**
 * The login is made first and is the truth; the server's list is derived from it. So a run that was killed
 * between the two is completed by the next one.
 */
export const makeRedisUsers = async (
  secrets: Secrets,
  random: (size: number) => Buffer = randomBytes,
): Promise<'created' | 'exists'> => {
  await secrets.create(LOGIN, {
    username: Buffer.from(USER),
    password: Buffer.from(random(32).toString('base64url')),
  })
  const { password } = await secrets.read(LOGIN)
  if (password === undefined || password.length < 32) {
    throw new Error(
      `ERR_REDIS_LOGIN_DAMAGED: Secret ${LOGIN.namespace}/${LOGIN.name} has no usable password; delete it and run again`,
    )
  }
  const wanted = { 'users.acl': Buffer.from(renderAcl(password.toString())) }
  const made = await secrets.create(ACL, wanted)
  if (made === 'exists') {
    const { 'users.acl': current } = await secrets.read(ACL)
    if (current?.equals(wanted['users.acl']) !== true) await secrets.replace(ACL, wanted)
  }
  return made
}
