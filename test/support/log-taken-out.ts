import { join } from 'node:path'
import { psql } from './database.ts'
import { blocksOf, commandsOf, type Ran, runCommand } from './runbook-commands.ts'

const ROOT = join(import.meta.dirname, '../..')
const DIAGNOSIS = commandsOf('AuditChainBroken', 'Diagnosis').map(({ text }) => text)

/** Commands of AuditChainBroken that need one another, from the first on: they are run as one. */
export const TAKES_LOG_OUT = DIAGNOSIS.slice(
  DIAGNOSIS.findIndex((text) => text.includes('PGPASSWORD=')),
)

export interface TakenOut extends Ran {
  /** Logins that the commands made and did not take away. */
  readonly logins: readonly string[]
}

/**
 * Takes the audit log out of the platform and verifies it, as AuditChainBroken says and in that order: the checkpoint
 * from outside and the witness lines first, then the log under a login of its own. The folder keeps what was taken; the
 * exit code is that of `palisade audit verify`.
 */
export async function takeLogOut(folder: string): Promise<TakenOut> {
  const [readsCheckpoint = ''] = blocksOf('README').filter((text) => text.includes('bao kv get'))
  const witness = DIAGNOSIS.find((text) => text.includes('Committed audit')) ?? ''
  const cli = `palisade() { node ${join(ROOT, 'cli/main.ts')} "$@"; }`
  const leave = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"
  const script = ['set -e', leave, cli, readsCheckpoint, witness, ...TAKES_LOG_OUT]
  try {
    const ran = await runCommand(script.join('\n'), folder)
    const left = await psql("select rolname from pg_roles where rolname = 'auditor'")
    return { ...ran, logins: left.flat() }
  } finally {
    await psql('drop role if exists auditor')
  }
}
