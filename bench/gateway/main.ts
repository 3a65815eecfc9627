import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { startRedis } from '../../test/support/redis.ts'
import { busyWith, loadNow, machineOf } from '../quiet.ts'
import { measure, type Server, startServer } from './load.ts'
import { type Kind, KINDS, markdownOf, type Measured, type Run, type Series } from './report.ts'
import { measureToken } from './token.ts'

/**
 * The gateway against bare Fastify that sends the same headers and the same body. Rounds are interleaved, so that
 * whatever else the machine does falls on all of them. Writes gateway.json and gateway.md.
 */
const CONNECTIONS = [1, 64]
const WARM_SECONDS = 2

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    out: { type: 'string', default: join(import.meta.dirname, '../results') },
    'any-load': { type: 'boolean', default: false },
  },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
if (![rounds, seconds].every((number) => Number.isInteger(number) && number >= 1)) {
  console.error('--rounds and --seconds are whole numbers from 1 on')
  process.exit(2)
}

const before = loadNow()
const busy = busyWith(before, values['any-load'])
if (busy !== undefined) {
  console.error(busy)
  process.exit(3)
}

const server = await startRedis()
const redis = new Redis({ host: server.host, port: server.port })
const servers = new Map<Kind, Server>()
try {
  for (const kind of KINDS) servers.set(kind, await startServer(kind, server.port))
  const series: Series[] = []
  for (const connections of CONNECTIONS) series.push(await compare(connections))
  const measured: Measured = {
    at: new Date().toISOString(),
    machine: machineOf(),
    tool: `autocannon ${versionOf('autocannon')}`,
    redis: await redisVersion(),
    load: { before, after: loadNow() },
    rounds,
    seconds,
    series,
    token: await measureToken(rounds),
  }
  await mkdir(values.out, { recursive: true })
  await writeFile(join(values.out, 'gateway.json'), `${JSON.stringify(measured, null, 2)}\n`)
  await writeFile(join(values.out, 'gateway.md'), markdownOf(measured))
  console.log(markdownOf(measured))
} finally {
  for (const { child } of servers.values()) child.kill('SIGKILL')
  redis.disconnect()
  await server.stop()
}

async function compare(connections: number): Promise<Series> {
  for (const one of servers.values()) await measure(one, connections, WARM_SECONDS, redis)
  const runs: Record<Kind, Run[]> = { bare: [], local: [], redis: [] }
  for (let round = 0; round < rounds; round++) {
    // There and back, so that none always follows the same one.
    const order = round % 2 === 0 ? [...servers] : [...servers].reverse()
    for (const [kind, one] of order)
      runs[kind].push(await measure(one, connections, seconds, redis))
  }
  return { connections, runs }
}

function versionOf(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

async function redisVersion(): Promise<string> {
  const info = await redis.info('server')
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1]
  return valkey ? `Valkey ${valkey}` : `Redis ${/^redis_version:(\S+)/m.exec(info)?.[1] ?? ''}`
}
