import { setTimeout as pause } from 'node:timers/promises'
import { AuditClient, useSecrets, withoutRecord, type Acknowledged } from './audit-client.ts'
import type { AuditWorld } from './audit-world.ts'
import type { Seeded } from './seeded.ts'

const CLIENTS = 8

export interface KilledUnderLoad {
  readonly acknowledged: number
  readonly unrecorded: readonly Acknowledged[]
  /** Writes that left more than one record, although a client insisted under one idempotency key. */
  readonly repeated: readonly string[]
  /** What clients were told meanwhile, by status and code; 0: no answer. */
  readonly refusals: ReadonlyMap<string, number>
}

/** Kills one process after another while clients write and read; each is started again at once. */
export async function killUnderLoad(
  world: AuditWorld,
  kills: number,
  chance: Seeded,
  onKill: (done: number) => void = () => undefined,
): Promise<KilledUnderLoad> {
  const run = `kills-${chance.seed}`
  const people = await world.people(CLIENTS)
  const clients = people.map((who, i) => new AuditClient(world, who, i))
  const stop = new AbortController()
  const load = Promise.all(
    clients.map((client, i) => useSecrets(client, `${run}-${i}`, `${run}-shared`, stop.signal)),
  )
  try {
    await Promise.race([load, killAll(world, kills, chance, onKill)])
  } finally {
    stop.abort()
  }
  await load
  await Promise.all(clients.map((client) => client.close()))
  const acknowledged = clients.flatMap((client) => client.acknowledged)
  const recorded = (await world.recorded()).filter(({ name }) => name.startsWith(run))
  const writes = recorded.filter(({ eventType }) => eventType === 'secret.write')
  const versions = writes.map(({ name, version }) => `${name}@${version}`)
  const asked = acknowledged.filter(({ eventType }) => eventType === 'secret.write').length
  const refusals = new Map<string, number>()
  for (const client of clients) {
    for (const [code, count] of client.refusals)
      refusals.set(code, (refusals.get(code) ?? 0) + count)
  }
  return {
    acknowledged: acknowledged.length,
    unrecorded: withoutRecord(acknowledged, recorded),
    repeated: [
      ...versions.filter((version, i) => versions.indexOf(version) !== i),
      // Everybody insisted until the answer came, so there is one write for each that was asked for.
      ...(versions.length === asked ? [] : [`${versions.length} records of ${asked} writes`]),
    ],
    refusals,
  }
}

async function killAll(
  world: AuditWorld,
  kills: number,
  chance: Seeded,
  onKill: (done: number) => void,
): Promise<void> {
  const [first, ...others] = world.processes
  if (!first) throw new Error('there is nobody to kill')
  for (let done = 1; done <= kills; done += 1) {
    const victim = chance.oneOf([first, ...others])
    await victim.serving()
    await pause(chance.between(20, 300))
    await victim.kill()
    victim.start()
    onKill(done)
  }
  await Promise.all(world.processes.map((each) => each.serving()))
}
