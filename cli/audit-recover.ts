import type { LogEnd } from '#core/audit/epoch-opening'
import { parseLogCheckpoint } from '#core/audit/log-checkpoint'
import {
  approveRecovery,
  proposeRecovery,
  recoveryStatus,
} from '../gateway/store/audit-recovery.ts'
import { parseCall, usageError } from './command.ts'
import { withDatabase } from './database.ts'
import { usableFile } from './usable.ts'

const OPTIONS = {
  checkpoint: { type: 'string' },
  reference: { type: 'string' },
} as const

/**
 * One of two people who open the next epoch after a restore. Each brings the newest checkpoint from outside, so that
 * both have seen what is given up; who they are is the login of the connection.
 */
export async function recover(args: readonly string[], usage: string): Promise<object> {
  const { values, positionals } = parseCall(args, OPTIONS, usage)
  const [verb, id, ...rest] = positionals
  const { checkpoint, reference } = values
  if (rest.length > 0) throw usageError(`"${rest[0]}" is not expected`, usage)
  switch (verb) {
    case 'status':
      return withDatabase(recoveryStatus)
    case 'propose': {
      if (id !== undefined || checkpoint === undefined || reference === undefined) {
        throw usageError('--checkpoint and --reference are expected', usage)
      }
      const lost = await endIn(checkpoint)
      return withDatabase((client) => proposeRecovery(client, lost, reference))
    }
    case 'approve': {
      if (id === undefined || checkpoint === undefined) {
        throw usageError('the id of a proposal and --checkpoint are expected', usage)
      }
      const lost = await endIn(checkpoint)
      return withDatabase((client) => approveRecovery(client, id, lost))
    }
    default:
      throw usageError(`"${verb ?? ''}" is not status, propose or approve`, usage)
  }
}

/** Its signature is not looked at here: the database takes none but the one that the sealer has opened. */
const endIn = (path: string): Promise<LogEnd> =>
  usableFile(path, 'the newest checkpoint of this log from outside', (note) =>
    parseLogCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1)),
  )
