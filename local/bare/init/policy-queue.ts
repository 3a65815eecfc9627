import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { kill, processesWhere } from './processes.ts'

/** One line per queue that somebody listens to; the number comes first. */
const TABLE = '/proc/net/netfilter/nfnetlink_queue'
const AGENT = 'kube-network-policies'
const EVERY_MS = 1_000
/** Longer than the agent needs from its start to its queue. */
const PATIENCE_MS = 8_000

export const hasListener = (table: string, queue: number): boolean =>
  table.split('\n').some((line) => line.trim().split(/\s+/)[0] === String(queue))

/** Whom to end: each that has been there for longer than its patience without the queue having a listener. */
export class Deaf {
  readonly #since = new Map<number, number>()

  /** @param agents those that run; nobody where the queue has a listener */
  observe(agents: readonly number[], isHeard: boolean, now: number): readonly number[] {
    if (isHeard) this.#since.clear()
    for (const pid of this.#since.keys()) if (!agents.includes(pid)) this.#since.delete(pid)
    for (const pid of agents) if (!this.#since.has(pid)) this.#since.set(pid, now)
    return agents.filter((pid) => now - (this.#since.get(pid) ?? now) > PATIENCE_MS)
  }
}

/**
 * The agent that decides on connections of pods asks for its queue once, and when the kernel refuses or is late it
 * runs on without: no pod could connect any more. Ended, it is started again by the kubelet.
 */
export async function keepPolicyQueue(queue: number, say: (text: string) => void): Promise<never> {
  const deaf = new Deaf()
  for (;;) {
    await sleep(EVERY_MS)
    const isHeard = hasListener(await readFile(TABLE, 'utf8').catch(() => ''), queue)
    // Looking through all processes costs a hundred times as much as the table.
    const pids = isHeard ? [] : await processesWhere('cmdline', isAgent)
    for (const pid of deaf.observe(pids, isHeard, Date.now())) {
      say(`${AGENT} (pid ${pid}) does not listen to queue ${queue}: ended, to be started again`)
      kill(pid)
    }
  }
}

const isAgent = (cmdline: string): boolean => cmdline.split('\0')[0]?.split('/').at(-1) === AGENT
