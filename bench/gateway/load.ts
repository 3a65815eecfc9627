import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import autocannon from 'autocannon'
import type { Redis } from 'ioredis'
import type { Kind, Run } from './report.ts'

export interface Server {
  readonly child: ChildProcess
  readonly port: number
  readonly token: string
}

/** Each in a process of its own, so that one's memory and compiled code are not the other's. */
export async function startServer(kind: Kind, redisPort: number): Promise<Server> {
  const file = join(import.meta.dirname, 'server.ts')
  const child = spawn(process.execPath, [file, kind, String(redisPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the server "${kind}" ended before it listened`)
  })
  ended.catch(() => {}) // after the race it ends because we end it
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
  return { child, ...(JSON.parse(line.toString()) as { port: number; token: string }) }
}

export async function measure(
  { child, port, token }: Server,
  connections: number,
  duration: number,
  redis: Redis,
): Promise<Run> {
  const url = `http://127.0.0.1:${port}/thing`
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  const pid = child.pid ?? 0
  const before = { cpu: await cpuMicros(pid), calls: await scriptCalls(redis) }
  const result = await autocannon({ url, connections, duration, headers })
  const { requests, latency, non2xx, errors } = result
  if (non2xx + errors > 0) throw new Error(`${non2xx} answers were no success, ${errors} failed`)
  return {
    perSecond: requests.average,
    p50: latency.p50,
    p99: latency.p99,
    cpu: ((await cpuMicros(pid)) - before.cpu) / requests.total,
    redisCalls: ((await scriptCalls(redis)) - before.calls) / requests.total,
  }
}

async function cpuMicros(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  // utime and stime (proc(5)), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** The limiter is one script; what the script calls inside Redis costs no round trip. */
async function scriptCalls(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats')
  const calls = stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)
  return [...calls].reduce((sum, [, count]) => sum + Number(count), 0)
}
