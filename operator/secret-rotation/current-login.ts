import { Sealed } from '#core/sealed'
import type { LoginOutcome, StoredValue } from '../ports.ts'
import type { Claimant } from './claimant.ts'

/** Whether the value last published still opens the database; undefined where none was. */
export async function tryCurrentLogin(
  { database, address }: Pick<Claimant, 'database' | 'address'>,
  value: StoredValue | undefined,
): Promise<LoginOutcome | undefined> {
  const { username, password } = value?.issue?.fields.reveal() ?? {}
  if (username === undefined || password === undefined) return undefined
  return database.tryLogin(username, Sealed.of(password), address.database)
}
