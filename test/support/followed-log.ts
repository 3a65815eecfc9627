import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'

export interface Followed<T> {
  /** What was kept so far. Throws once the log is no longer followed. */
  records(): readonly T[]
  stop(): void
}

/** A container may have to come up first. */
const FIRST_LINE_MS = 120_000

/**
 * What of each line of a container's log is kept, from now on or from its first line. Followed and not asked for
 * afterwards: of a log that grew too long meanwhile the kubelet gives the newest file alone.
 * @param container what kubectl needs to find it: namespace, Pod, container
 */
export async function followLog<T>(
  container: readonly string[],
  keep: (line: string) => T | undefined,
  from: 'now' | 'the start' = 'now',
): Promise<Followed<T>> {
  const logs = ['logs', '--follow', ...(from === 'now' ? ['--tail=1'] : []), ...container]
  const child = spawn(await toolPath('kubectl'), ['--kubeconfig', kubeconfigPath(), ...logs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kept: T[] = []
  const lines = createInterface({ input: child.stdout })
  let began = false
  lines.on('line', (line) => {
    // From now on: the first one is the last line of before.
    const found = began || from === 'the start' ? keep(line) : undefined
    began = true
    if (found !== undefined) kept.push(found)
  })
  const tooLong = sleep(FIRST_LINE_MS, undefined, { ref: false })
  await Promise.race([once(lines, 'line'), once(child, 'exit'), tooLong])
  if (!began) {
    child.kill()
    throw new Error(`the log of ${container.join(' ')} cannot be followed`)
  }
  return {
    records() {
      if (child.exitCode === null && child.signalCode === null) return kept
      throw new Error(`the log of ${container.join(' ')} was followed no longer`)
    },
    stop: () => void child.kill(),
  }
}
