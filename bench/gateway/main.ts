import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { startRedis } from '../../test/support/redis.ts'

/**
 * The gateway against bare Fastify that sends the same headers and the same body. Rounds are interleaved, so that
 * whatever else the machine does falls on all of them; ratios are per round, and the table shows median and range.
 */
const KINDS = ['bare', 'local', 'redis'] as const
type Kind = (typeof KINDS)[number]
const RESULTS = join(import.meta.dirname, '../results')

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)

interface Server {
  readonly child: ChildProcess
  readonly port: number
  readonly token: string
}

async function start(kind: Kind, redisPort: number): Promise<Server> {
  const file = join(import.meta.dirname, 'server.ts')
  const child = spawn(process.execPath, [file, kind, String(redisPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, ...(JSON.parse(line.toString()) as { port: number; token: string }) }
}

/** CPU of the server alone, in microseconds: it means the same on a busy machine, where requests/s do not. */
async function cpuMicros(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  // utime and stime (proc(5)), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function measure({ child, port, token }: Server, connections: number, duration: number) {
  const url = `http://127.0.0.1:${port}/thing`
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  const pid = child.pid ?? 0
  const before = await cpuMicros(pid)
  const result = await autocannon({ url, connections, duration, headers })
  const { requests, latency, non2xx, errors } = result
  if (non2xx + errors > 0) throw new Error(`${non2xx} answers were no success, ${errors} failed`)
  const cpu = ((await cpuMicros(pid)) - before) / requests.total
  return { perSecond: requests.average, p50: latency.p50, p99: latency.p99, cpu }
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

const before = loadavg()[0] ?? 0
if (before > 0.5) {
  process.stderr.write(`The load is ${before.toFixed(1)}; below 0.5 the numbers mean something.\n`)
}
const redis = await startRedis()
const servers = new Map<Kind, Server>()
for (const kind of KINDS) servers.set(kind, await start(kind, redis.port))

const table: Record<string, string | number>[] = []
try {
  for (const connections of [1, 64]) {
    const seen = new Map<Kind, Awaited<ReturnType<typeof measure>>[]>()
    for (const server of servers.values()) await measure(server, connections, 2)
    for (let round = 0; round < rounds; round++) {
      for (const [kind, server] of servers) {
        seen.set(kind, [...(seen.get(kind) ?? []), await measure(server, connections, seconds)])
      }
    }
    const bare = seen.get('bare') ?? []
    for (const [kind, runs] of seen) {
      const ratios = runs.map(({ perSecond }, i) => perSecond / (bare[i]?.perSecond ?? Number.NaN))
      const percent = (ratio: number) => `${(ratio * 100).toFixed(0)} %`
      table.push({
        server: kind,
        connections,
        'requests/s': Math.round(median(runs.map(({ perSecond }) => perSecond))),
        'of bare': percent(median(ratios)),
        range: `${percent(Math.min(...ratios))} to ${percent(Math.max(...ratios))}`,
        'cpu µs/request': Number(median(runs.map(({ cpu }) => cpu)).toFixed(1)),
        'p50 ms': median(runs.map(({ p50 }) => p50)),
        'p99 ms': median(runs.map(({ p99 }) => p99)),
      })
    }
  }
} finally {
  for (const { child } of servers.values()) child.kill('SIGKILL')
  await redis.stop()
}

console.table(table)
await mkdir(RESULTS, { recursive: true })
const machine = {
  cores: cpus().length,
  cpu: cpus()[0]?.model,
  node: process.version,
  loadBefore: before,
}
const report = { at: new Date().toISOString(), tool: 'autocannon', rounds, seconds, machine, table }
await writeFile(join(RESULTS, 'gateway.json'), `${JSON.stringify(report, null, 2)}\n`)
