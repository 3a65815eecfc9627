import { randomUUID } from 'node:crypto'
import { systemClock } from '#core/clock'
import { issueAccessToken } from '../../gateway/identity/access-token.ts'
import { loadSigningKeys, makeSigningKey } from '../../gateway/identity/signing-keys.ts'
import { TokenVerifier } from '../../gateway/identity/verify-token.ts'
import type { TokenRun } from './report.ts'

const CACHED_CHECKS = 200_000
const VERIFICATIONS = 2_000
const NAMES = { issuer: 'https://bench', audience: 'palisade' }

/** A remembered token against one that is verified, in turns. More tokens than one, as in a running gateway. */
export async function measureToken(rounds: number): Promise<TokenRun[]> {
  const keys = loadSigningKeys([await makeSigningKey(new Date(0))], new Date())
  const tokens = await Promise.all(
    Array.from({ length: 64 }, () => {
      const subject = {
        userId: randomUUID(),
        tenantId: randomUUID(),
        role: 'user',
        tokenVersion: 0,
      } as const
      return issueAccessToken(subject, keys, NAMES, systemClock)
    }),
  )
  const token = (i: number): string => tokens[i % tokens.length] ?? ''
  const warm = new TokenVerifier(keys, NAMES, systemClock)
  for (const one of tokens) await warm.verify(one)

  const cached = (): number => {
    const begun = performance.now()
    for (let i = 0; i < CACHED_CHECKS; i++) {
      if (!warm.recall(token(i))) throw new Error('a token was not remembered')
    }
    return ((performance.now() - begun) * 1000) / CACHED_CHECKS
  }
  const verified = async (): Promise<number> => {
    const begun = performance.now()
    for (let i = 0; i < VERIFICATIONS; i++) {
      await new TokenVerifier(keys, NAMES, systemClock).verify(token(i))
    }
    return ((performance.now() - begun) * 1000) / VERIFICATIONS
  }
  cached()
  await verified()
  const runs: TokenRun[] = []
  for (let round = 0; round < rounds; round++) {
    runs.push({ cached: cached(), verified: await verified() })
  }
  return runs
}
