import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OperatorProcess } from './operator-process.ts'
import type { RotationView } from './rotation-view.ts'

/** Starts a rotation in which the leader comes by an armed place. */
export async function startTowards(
  leader: OperatorProcess,
  view: RotationView,
  place: string,
): Promise<void> {
  // Looking after a Secret at rest comes by this place too, so the leader is armed on its way from here to there.
  const start = place.startsWith('applySecret.') ? 'publishValue.after:stop' : place
  await leader.arm(start)
  await view.rotateNow(`${place} after ${(await view.read()).status?.version}`)
  if (start === place) return
  await stoppedAt(leader, start)
  await leader.arm(place)
  leader.signal('SIGCONT')
}

/** Resolves when the kernel has stopped it: what it says comes a moment before. */
export async function stoppedAt(sleeper: OperatorProcess, place: string): Promise<void> {
  const said = `failpoint ${place.replace(':', ': ')}`
  const end = Date.now() + 30_000
  while (!sleeper.output().includes(said) || !(await isStopped(sleeper))) {
    assert.ok(Date.now() < end, `it was not stopped at ${place}:\n${sleeper.output()}`)
    await sleep(20)
  }
}

/** State T of proc_pid_stat(5). */
async function isStopped({ process: { pid } }: OperatorProcess): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}
