import { makeRedisUsers } from './redis-users.ts'
import { makeSealKey } from './seal-key.ts'
import { clusterSecrets, type Secrets } from './secrets.ts'

/** What Jobs of the platform make inside the cluster before anything else can: `palisade bootstrap <what>`. */
const ACTS: Readonly<Record<string, (secrets: Secrets) => Promise<'created' | 'exists'>>> = {
  'seal-key': makeSealKey,
  'redis-users': makeRedisUsers,
}

export const bootstrap = async (args: readonly string[]): Promise<void> => {
  const act = ACTS[args[0] ?? '']
  if (act === undefined || args.length !== 1) {
    throw new Error(
      `ERR_USAGE: palisade bootstrap ${Object.keys(ACTS).join('|')} makes one first credential`,
    )
  }
  const outcome = await act(clusterSecrets())
  process.stdout.write(`${JSON.stringify({ bootstrap: args[0], outcome })}\n`)
}
