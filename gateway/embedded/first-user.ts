import { access, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DEVELOPMENT_EMAIL,
  makeDevelopmentAdministrator,
} from '../identity/development-administrator.ts'
import { readDevelopmentUsers, type DevelopmentUser } from '../identity/development-users.ts'

export interface FirstUser {
  readonly users: readonly DevelopmentUser[]
  readonly email: string
  /** Body of the login request, readable by the owner alone; it is never printed. */
  readonly loginFile: string
}

/** Made on the first start; afterwards the list is the user's to edit. */
export async function loadOrMakeFirstUser(directory: string): Promise<FirstUser> {
  const usersFile = join(directory, 'users.json')
  const loginFile = join(directory, 'first-login.json')
  if (!(await exists(usersFile))) await make(usersFile, loginFile)
  const users = await readDevelopmentUsers(usersFile)
  return { users, email: users[0]?.email ?? DEVELOPMENT_EMAIL, loginFile }
}

async function make(usersFile: string, loginFile: string): Promise<void> {
  const { user, login } = await makeDevelopmentAdministrator()
  // The password first: a crash between the two makes a new pair, never a user whose password nobody knows.
  await writeWhole(loginFile, login)
  await writeWhole(usersFile, JSON.stringify([user], null, 2))
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, `${text}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
