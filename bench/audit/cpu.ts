import { readdir, readFile } from 'node:fs/promises'

/** Ticks of /proc are 10 ms (proc(5)). */
const TICK_MICROS = 10_000

/** User and system time of a process, of its children that ended, and of those that run, in µs. */
export async function cpuMicros(pid: number): Promise<number> {
  const children = await childrenOf(pid)
  const own = await statOf(pid)
  const running = await Promise.all(children.map(async (child) => (await statOf(child)).own))
  return (own.own + own.ended + running.reduce((sum, one) => sum + one, 0)) * TICK_MICROS
}

async function statOf(pid: number): Promise<{ readonly own: number; readonly ended: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const { times } = parseStat(text)
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = times
  return { own: user + system, ended: endedUser + endedSystem }
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((entry) => entry > 0)
  const parents = await Promise.all(
    pids.map(async (child) => {
      const text = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '')
      return parseStat(text).parent === pid ? child : 0
    }),
  )
  return parents.filter((child) => child > 0)
}

/** The name in brackets may hold spaces and brackets itself. */
export function parseStat(text: string): {
  readonly parent: number
  readonly times: readonly number[]
} {
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ')
  return { parent: Number(fields[1]), times: fields.slice(11, 15).map(Number) }
}
