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
    const isMine = !lock || (await isAlone(client))
    if (isMine) await holdTail(client)
    const appended = isMine ? await append() : undefined
    await client.query(appended ? 'commit' : 'rollback')
    return appended
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/**
 * The log stays until the commit as it is read from here on: nothing is taken out of these tables before a trigger is
 * disabled, and that waits for this lock, the strongest one of a role that may only insert. Others may still append.
 */
async function holdTail(client: pg.ClientBase): Promise<void> {
  await client.query(
    'lock table palisade.audit_seals, palisade.audit_batches in row exclusive mode',
  )
}

async function isAlone(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(
    'select pg_try_advisory_xact_lock($1) as mine',
    [LOCK],
  )
  return rows[0]?.mine === true
}
