import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { AuditClient, withoutRecord } from '../support/audit-client.ts'
import { killUnderLoad } from '../support/audit-kills.ts'
import { AuditWorld } from '../support/audit-world.ts'
import { seeded } from '../support/seeded.ts'

/** Processes of their own, as in a cluster: nothing that a replica keeps in memory can hold the log together. */

const REPLICAS = 3
const WRITERS = 100
const KILLS = 20
// Processes start many times over here, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 240_000 })

let world: AuditWorld

beforeAll(async () => {
  world = await AuditWorld.start({ replicas: REPLICAS, sealers: 2 })
})
afterAll(() => world?.stop())

async function expectWholeLog(): Promise<void> {
  await world.sealed()
  const { findings, doesNotProve, counts } = await world.verify()
  expect(findings).toEqual([])
  // Nothing was passed over for want of a key, a checkpoint or a witness.
  expect(doesNotProve).toEqual([])
  expect(counts).toMatchObject({ unsealed: 0, sealed: counts.records })
  expect(await world.deadlocks()).toBe(0)
}

describe('three replicas', () => {
  it('with 100 concurrent writers of one tenant and 20 of four others fork nothing and deadlock nowhere', async () => {
    const one = await world.people(WRITERS)
    const others = (await Promise.all([1, 2, 3, 4].map(() => world.people(5)))).flat()
    const clients = [...one, ...others].map((who, i) => new AuditClient(world, who, i))
    await Promise.all(
      clients.map(async (client, i) => {
        for (let turn = 0; turn < REPLICAS; turn += 1) {
          await Promise.all([
            client.write(`own-${i}-${turn}`, 'v'),
            // Ten writers want the same row at once, on all replicas.
            client.write(`contended-${i % 10}`, 'v'),
          ])
        }
      }),
    )
    const acknowledged = clients.flatMap((client) => client.acknowledged)
    expect(acknowledged).toHaveLength(clients.length * REPLICAS * 2)
    expect(withoutRecord(acknowledged, await world.recorded())).toEqual([])
    await Promise.all(clients.map((client) => client.close()))
    await expectWholeLog()
  })
})

describe('SIGKILL of gateways and sealers under load', () => {
  it(`${KILLS} times leaves no acknowledged action without its record, and a log that verifies`, async () => {
    const chance = seeded('PALISADE_SEED')
    const run = await killUnderLoad(world, KILLS, chance)
    const { acknowledged, unrecorded, repeated, refusals } = run
    expect(acknowledged).toBeGreaterThan(KILLS)
    // Requests died with their process: the load was there.
    expect(refusals.get('0')).toBeGreaterThan(0)
    expect(unrecorded).toEqual([])
    expect(repeated).toEqual([])
    await expectWholeLog()
  })
})
