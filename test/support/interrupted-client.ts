import type pg from 'pg'

/** The client, with something that happens once, right after the first statement of this form. */
export function interrupted(
  client: pg.Client,
  form: RegExp,
  act: () => Promise<unknown>,
): pg.ClientBase {
  let isDone = false
  const query = async (text: string, values?: unknown[]) => {
    const answer = await client.query(text, values)
    if (!isDone && form.test(text)) {
      isDone = true
      await act()
    }
    return answer
  }
  return { query } as unknown as pg.ClientBase
}
