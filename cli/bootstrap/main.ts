import { usageError } from '../command.ts'
import { prepareDatabase } from './database.ts'
import { makeRedisUsers } from './redis-users.ts'
import { makeSealKey } from './seal-key.ts'
import { clusterSecrets } from './secrets.ts'
import { startStoreNode } from './start-store-node.ts'

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** What Jobs of the platform make inside the cluster before anything else can: `palisade bootstrap <what>`. */
const ACTS: Readonly<Record<string, () => Promise<string>>> = {
  'seal-key': () => makeSealKey(clusterSecrets()),
  'redis-users': () => makeRedisUsers(clusterSecrets()),
  database: () => prepareDatabase(print),
  'store-node': () => startStoreNode(),
}

export const bootstrap = async (args: readonly string[], usage: string): Promise<void> => {
  const act = ACTS[args[0] ?? '']
  if (act === undefined || args.length !== 1) {
    throw usageError(`one of ${Object.keys(ACTS).join(', ')} is expected`, usage)
  }
  print({ bootstrap: args[0], outcome: await act() })
}
