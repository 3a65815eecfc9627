import type pg from 'pg'
import { databaseFrom } from './config.ts'

/** Connects to the database that the environment names, and leaves it however the use of it ends. */
export async function withDatabase<T>(
  use: (client: pg.Client) => Promise<T>,
  options: pg.ClientConfig = {},
): Promise<T> {
  // What reads its log from a file does without.
  const { default: postgres } = await import('pg')
  const client = new postgres.Client({ ...(await databaseFrom()), ...options })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
