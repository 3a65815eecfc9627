import { PalisadeError } from '#core/problem'
import type { SilentInstance, Termination } from '../../ports.ts'

export const silentIn = (ended: Termination): readonly SilentInstance[] =>
  ended.kind === 'done' ? ended.silent : []

/** As long as it is waited for: an instance that was away for a moment ends them at the next try. */
export function sessionsLeft(role: string, silent: readonly SilentInstance[]): PalisadeError {
  const named = silent.map(({ instance, why }) => `instance ${instance} ${why}`).join(', ')
  return new PalisadeError(
    'ERR_BACKEND_UNREACHABLE',
    `${named}, so sessions of "${role}" may be open there`,
  )
}
