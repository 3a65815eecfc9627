import type pg from 'pg'

/** Any number, but always the same one. It saves a second sealer useless work; the keys are what stops it. */
const LOCK = 7_203_114_502

/**
 * One transaction, while no other sealer has one. What it appends is committed; it is rolled back when there is
 * nothing to append, when another sealer is at work, or when something fails.
 * @returns undefined when nothing was appended
 */
export async function asOnlySealer<T extends object>(
  client: pg.ClientBase,
  append: () => Promise<T | undefined>,
  lock = true,
): Promise<T | undefined> {
  await client.query('begin')
  try {
    const appended = !lock || (await isAlone(client)) ? await append() : undefined
    await client.query(appended ? 'commit' : 'rollback')
    return appended
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

async function isAlone(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(
    'select pg_try_advisory_xact_lock($1) as mine',
    [LOCK],
  )
  return rows[0]?.mine === true
}
