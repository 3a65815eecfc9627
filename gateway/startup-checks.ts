import { PalisadeError } from '#core/problem'
import type { Store } from './ports/store.ts'

/** Row-level security means nothing to a superuser or an owner, so the server does not serve as one. */
export async function refuseUnfitRole(store: Pick<Store, 'unfitRole'>): Promise<void> {
  const problems = await store.unfitRole()
  if (problems.length === 0) return
  throw new PalisadeError('ERR_CONFIG_INVALID', problems.join('; '), {
    remedy: 'log in as a member of palisade_app that owns nothing, such as palisade_app_a',
  })
}
