import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { namespaceAccess } from '#core/namespace-access'
import { caPath } from '../../local/answer.ts'
import { applyAll, kubectl } from './cluster.ts'
import { psql } from './database.ts'
import { groundOf, namesOf, type TeamNames } from './team-objects.ts'
import type { Vault } from './vault.ts'

const TEMPLATE = join(import.meta.dirname, '../../policies/vault/palisade-namespace.hcl')

/** What a platform team does once for a namespace that it opens for rotations. */
export async function openGround(names: TeamNames, vault: Vault): Promise<void> {
  const ca = await readFile(caPath(), 'utf8')
  await Promise.all([applyAll(groundOf(names, ca)), openBackends(names, vault)])
}

/** The part of it that is not in the cluster: users in the database, and a folder in the secret store. */
export async function openBackends(names: TeamNames, vault: Vault): Promise<void> {
  await Promise.all([enrol(names), openStore(names, vault)])
}

/** As `palisade enrol` does it for a team. */
const enrol = ({ pair, namespace }: TeamNames) =>
  psql(`set role palisade_fence;
    select palisade_fence.enrol('${pair}_a', '${pair}_b', '${pair}', 'palisade', '${namespace}');
    select palisade_fence.see_sessions('${pair}_a', '${pair}_b');`)

/** As `palisade enable` does it, under the account that may; it is there where a team was opened before. */
async function openStore({ namespace }: TeamNames, vault: Vault): Promise<void> {
  const account = ['serviceaccount', 'onboarder', '-n', 'palisade-system']
  const isThere = (await kubectl('get', '--ignore-not-found', '-o', 'name', ...account)) !== ''
  if (!isThere) await kubectl('create', ...account)
  try {
    const token = await vault.loginAs('onboarder', 'palisade-onboarder')
    const access = namespaceAccess(namespace, await readFile(TEMPLATE, 'utf8'))
    for (const { path, body } of [access.policy, access.role]) {
      await vault.call(token, 'PUT', path, body)
    }
  } finally {
    if (!isThere) await kubectl('delete', ...account)
  }
}

/** Takes away whatever is there of a team, its users last. Counters and the tombstone of its record stay in the store. */
export async function closeTeam(team: string): Promise<void> {
  const { namespace, rotation, backend, policy, pair } = namesOf(team)
  const gone = ['delete', '--ignore-not-found', '--timeout=90s']
  // While its backend still is, so that the operator gives the users back.
  await kubectl(...gone, 'srot', rotation, '-n', namespace)
  await Promise.all([
    kubectl(...gone, `ns/${namespace}`, `rotationbackend/${backend}`),
    kubectl(...gone, 'netpol', policy, '-n', 'palisade-data'),
    // What the fence has granted it takes back itself.
    psql(`do $$ declare name text; begin
      delete from palisade_fence.pair_roles where role in ('${pair}_a', '${pair}_b');
      delete from palisade_fence.pairs where namespace = '${namespace}';
      for name in select rolname from pg_roles where rolname in ('${pair}_a', '${pair}_b', '${pair}') loop
        set local role palisade_fence;
        execute format('revoke all on database palisade from %I', name);
        reset role;
        execute format('drop role %I', name);
      end loop; end $$;`),
  ])
}

/** What is left of a team in the cluster and in the database. */
export async function leftOf(team: string): Promise<readonly string[]> {
  const { namespace, backend, policy, pair } = namesOf(team)
  const names = ['get', '--ignore-not-found', '-o', 'name']
  const [objects, policies, users] = await Promise.all([
    kubectl(...names, `ns/${namespace}`, `rotationbackend/${backend}`),
    kubectl(...names, 'netpol', policy, '-n', 'palisade-data'),
    psql(`select rolname from pg_roles where rolname like '${pair}%'
      union all select namespace from palisade_fence.pairs where namespace = '${namespace}'`),
  ])
  return [objects, policies, ...users.flat()].filter((text) => text !== '')
}
