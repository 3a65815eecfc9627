import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadNow, machineOf } from '../../bench/quiet.ts'
import { killUnderLoad } from '../support/audit-kills.ts'
import { AuditWorld } from '../support/audit-world.ts'
import { chanceOf } from '../support/seeded.ts'
import { auditPage, isWhole, type AuditKills, type AuditSoak } from './audit-result.ts'

/** @returns whether everything held; the figures are written to `results` */
export async function soakAudit(kills: number, seed: number, results: string): Promise<boolean> {
  const loadBefore = Number(loadNow().toFixed(1))
  const soak: AuditSoak = {
    date: new Date().toISOString().slice(0, 10),
    machine: machineOf(),
    ...{ loadBefore, seed },
    kills: await killMany(kills, seed),
  }
  await mkdir(results, { recursive: true })
  await writeFile(join(results, 'soak-audit.json'), `${JSON.stringify(soak, null, 2)}\n`)
  await writeFile(join(results, 'soak-audit.md'), auditPage(soak))
  for (const failure of soak.kills.failures) console.error(failure)
  console.log(isWhole(soak) ? 'the log is whole' : 'FAILED')
  return isWhole(soak)
}

async function killMany(asked: number, seed: number): Promise<AuditKills> {
  const begun = Date.now()
  const world = await AuditWorld.start({ replicas: 3, sealers: 2 })
  let killed = 0
  try {
    const run = await killUnderLoad(world, asked, chanceOf(String(seed)), (done) => {
      killed = done
      if (done % 10 === 0) console.log(`${done}/${asked} killed`)
    })
    await world.sealed(60_000)
    const { findings, doesNotProve, counts } = await world.verify()
    const deadlocks = await world.deadlocks()
    return {
      ...{ asked, killed, acknowledged: run.acknowledged, records: counts.records, deadlocks },
      minutes: (Date.now() - begun) / 60_000,
      failures: [
        ...run.unrecorded.map(
          ({ eventType, name }) => `${eventType} of ${name} was acknowledged and has no record`,
        ),
        ...run.repeated.map((what) => `done twice: ${what}`),
        ...findings.map(({ code, where }) => `${code} ${where}`),
        ...doesNotProve.map((what) => `not proved: ${what}`),
        ...(deadlocks > 0 ? [`${deadlocks} deadlocks`] : []),
      ],
    }
  } finally {
    await world.stop()
  }
}
