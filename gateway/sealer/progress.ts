import { parseLogCheckpoint, type LogCheckpoint } from '#core/audit/log-checkpoint'

/**
 * Whether a place that remembers `there` needs `offered`. Signatures are not looked at: who forges a checkpoint that
 * claims more stops the publishing, and the comparison with the database that follows opens it and halts. So does who
 * leaves there what nobody can read: it counts as more.
 */
export function goesFurther(offered: string, there: string | undefined): boolean {
  if (there === undefined) return true
  const [next, known] = [positionOf(offered), readOrNothing(there)]
  if (known === undefined) return false
  return next.epoch > known.epoch || (next.epoch === known.epoch && next.size > known.size)
}

/**
 * What a checkpoint says whose signature nobody looked at. The text of a signed note ends at its last empty
 * line.
 * @throws SyntaxError
 */
export const positionOf = (note: string): LogCheckpoint =>
  parseLogCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1))

function readOrNothing(note: string) {
  try {
    return positionOf(note)
  } catch {
    return undefined
  }
}
