import type pg from 'pg'

/** Plans of the statements inside of the functions that `use` calls, as they ran. @param client a superuser's */
export async function nestedPlans(
  client: pg.Client,
  use: () => Promise<unknown>,
): Promise<readonly string[]> {
  const plans: string[] = []
  const onNotice = ({ message = '' }: { message?: string | undefined }) => {
    if (message.includes('plan:')) plans.push(message)
  }
  await client.query(`
    load 'auto_explain';
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off;
    set client_min_messages = log`)
  client.on('notice', onNotice)
  try {
    await client.query('set auto_explain.log_min_duration = 0')
    await use()
  } finally {
    client.off('notice', onNotice)
    await client.query('reset client_min_messages; set auto_explain.log_min_duration = -1')
  }
  return plans
}
