import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { OPENBAO_AUDIENCE } from '../../infra/names.ts'
import type { RotationWorld } from './rotation-world.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const ACCOUNTS = '/api/v1/namespaces/palisade-system/serviceaccounts'

/** Calls `palisade` as a process of its own, with no other environment; resolves to what it printed. */
export async function palisade(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await run(process.execPath, ['cli/main.ts', ...words], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
  })
  return stdout
}

/** With the login that the Job of a platform team has. */
export const callAsMigrator = ({ db }: RotationWorld, words: readonly string[]): Promise<string> =>
  palisade(words, {
    PGHOST: db.host,
    PGPORT: String(db.port),
    PGDATABASE: db.database,
    PGUSER: 'palisade_migrator',
  })

/** With the kubeconfig of an administrator of the cluster, and no secret store. */
export const callAsAdministrator = (
  { api }: Pick<RotationWorld, 'api'>,
  words: readonly string[],
): Promise<string> => palisade(words, { KUBECONFIG: api.kubeconfigPath })

/** Under the account that may open namespaces in the secret store, and may do nothing in the cluster. */
export async function callAsOnboarder(
  { api, bao, files }: RotationWorld,
  words: readonly string[],
): Promise<string> {
  await api.token('palisade-system', 'onboarder')
  const answer = await api.post(`${ACCOUNTS}/onboarder/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 600, audiences: [OPENBAO_AUDIENCE] },
  })
  const { token } = api.expectOk(answer)['status'] as { token: string }
  const file = join(files.failpoints, '../onboarder-token')
  await writeFile(file, token, { mode: 0o600 })
  return palisade(words, {
    PALISADE_VAULT_ADDR: bao.address,
    PALISADE_VAULT_TOKEN_PATH: file,
    PALISADE_TLS_DIR: files.tlsDir,
  })
}
