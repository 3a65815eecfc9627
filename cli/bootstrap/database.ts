import { readFile } from 'node:fs/promises'
import { systemClock } from '#core/clock'
import { VaultClient } from '../../gateway/keys/vault-client.ts'
import { prepareExistingDatabase } from '../../gateway/store/existing-database.ts'
import { databaseFrom, readConnection, vaultFrom } from '../config.ts'
import { keepOperatorLogin } from './operator-login.ts'

/** What the Job of an existing database does: roles, schema, and the operator's login kept in the secret store. */
export const prepareDatabase = async (
  say: (line: object) => void,
): Promise<'created' | 'exists'> => {
  const settings = vaultFrom()
  const vault = new VaultClient(settings, await readFile(settings.caFile, 'utf8'), systemClock)
  try {
    const { ca } = await readConnection()
    const applied = await prepareExistingDatabase({
      administrator: await databaseFrom(),
      login: () => keepOperatorLogin(vault, ca),
      say,
    })
    say({ migrated: applied })
    return applied.length > 0 ? 'created' : 'exists'
  } finally {
    await vault.close()
  }
}
