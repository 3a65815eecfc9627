import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadNow, machineOf } from '../../bench/quiet.ts'
import { AuditClient } from '../support/audit-client.ts'
import { AuditWorld } from '../support/audit-world.ts'
import { forged, startFlood } from '../support/flood.ts'
import { askSteadily, percentile, type SteadyResult } from '../support/steady-client.ts'
import { floodPage, type FloodResult } from './flood-result.ts'

const SECONDS = 60
const WARM_SECONDS = 10
const CONNECTIONS = 64
const SOURCES = 5_000
const READS_PER_SECOND = 50
const ROWS_PER_MINUTE = 1_001

/** @returns whether everything held; latencies are told and not judged: on a busy machine they say more of the machine */
export async function soakFlood(results: string): Promise<boolean> {
  const loadBefore = Number(loadNow().toFixed(1))
  const [date, machine] = [new Date().toISOString().slice(0, 10), machineOf()]
  const result: FloodResult = { date, machine, loadBefore, ...(await floodOne()) }
  await mkdir(results, { recursive: true })
  await writeFile(join(results, 'flood.json'), `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(join(results, 'flood.md'), floodPage(result))
  console.log(floodPage(result))
  return result.failures.length === 0
}

/** One gateway, and one client with a good token: a minute in peace, and a minute of forged tokens at full speed. */
async function floodOne(): Promise<Omit<FloodResult, 'date' | 'machine' | 'loadBefore'>> {
  const world = await AuditWorld.start({ replicas: 1, sealers: 1 })
  try {
    const [who] = await world.people(1)
    const [replica] = world.replicas
    if (!who || !replica) throw new Error('nobody is there')
    const client = new AuditClient(world, who)
    await client.write('mine', 'v')
    await client.close()
    const token = await world.token(who)
    const read = (seconds: number) =>
      askSteadily({
        url: `http://127.0.0.1:${replica.port}/api/secrets/mine`,
        headers: async () => ({ authorization: `Bearer ${token}` }),
        ...{ perSecond: READS_PER_SECOND, seconds },
      })
    await read(WARM_SECONDS)
    const start = cpuSeconds(replica.pid)
    const before = await read(SECONDS)
    const middle = cpuSeconds(replica.pid)
    const flood = startFlood({
      ...{ port: replica.port, connections: CONNECTIONS, seconds: SECONDS, sources: SOURCES },
      tokens: forged(token, 64),
    })
    const during = await read(SECONDS)
    const end = cpuSeconds(replica.pid)
    const { answers } = await flood.ended
    await replica.stop()
    return {
      ...{ seconds: SECONDS, connections: CONNECTIONS, sources: SOURCES },
      ...{ readsPerSecond: READS_PER_SECOND, answers },
      ...(await counted(world, { ...before.refused, ...during.refused }, answers)),
      before: { ...latency(before), cpu: (middle - start) / SECONDS },
      during: { ...latency(during), cpu: (end - middle) / SECONDS },
    }
  } finally {
    await world.stop()
  }
}

/** utime and stime (proc(5)), in ticks of 10 ms. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const latency = ({ latencies }: SteadyResult) => ({
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  most: percentile(latencies, 1),
})

async function counted(
  world: AuditWorld,
  refused: SteadyResult['refused'],
  answers: FloodResult['answers'],
) {
  const [found] = await world.db.query<{ total: string; rows: string; minutes: string }>(
    `select sum(refusals) as total, max(rows) as rows, count(*) as minutes
     from (select sum(refusals) as refusals, count(*) as rows from palisade.audit_counters group by minute) as minutes`,
  )
  const [total, rows, minutes] = [found?.total, found?.rows, found?.minutes].map(Number)
  const records = (await world.recorded()).filter(
    ({ eventType }) => eventType === 'refusals.counted',
  ).length
  const failures = [
    Object.keys(refused).length > 0 &&
      `the client with a good token was refused: ${JSON.stringify(refused)}`,
    total !== answers['401'] && `${total} refusals were counted of ${answers['401']}`,
    Number(rows) > ROWS_PER_MINUTE && `${rows} rows in a minute`,
    records !== minutes && `${records} records for ${minutes} minutes`,
  ].filter((failure) => failure !== false)
  return { rows: rows ?? 0, minutes: minutes ?? 0, records, failures }
}
