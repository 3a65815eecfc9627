import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { PalisadeError } from '#core/problem'

const derive = promisify(argon2)

// OWASP's second choice for argon2id: 19 MiB, two passes, one lane. About 30 ms here.
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

const encode = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

/** PHC string of argon2id, so that its cost can be raised later without asking users for new passwords. */
export async function hashPassword(password: string, random = randomBytes): Promise<string> {
  const nonce = random(16)
  const tag = await derive('argon2id', { ...COST, message: password, nonce })
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${encode(nonce)}$${encode(tag)}`
}

export async function verifyPassword(password: string, phc: string): Promise<boolean> {
  const parts = PHC.exec(phc)
  if (!parts)
    throw new PalisadeError('ERR_CONFIG_INVALID', 'a password hash is no argon2id PHC string')
  const [, memory, passes, parallelism, nonce = '', tag = ''] = parts
  const expected = Buffer.from(tag, 'base64')
  const actual = await derive('argon2id', {
    message: password,
    nonce: Buffer.from(nonce, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  })
  return timingSafeEqual(actual, expected)
}
