import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { VolumeUse } from '../ports/volume.ts'
import { AuditVolume } from './audit-volume.ts'
import { GatewayMetrics } from './metrics.ts'

const GIB = 1024 ** 3

function volumeOf(capacityBytes: number, ...answers: (number | Error)[]) {
  const metrics = new GatewayMetrics()
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  let asked = 0
  const volumeUse = async (): Promise<VolumeUse> => {
    const answer = answers[asked++]
    if (answer === undefined || answer instanceof Error)
      throw answer ?? new Error('asked too often')
    return { data: answer * GIB, wal: 0.5 * GIB, walIsListed: true }
  }
  const volume = new AuditVolume({ store: { volumeUse }, log, metrics, capacityBytes })
  const value = async (name: string) =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values.map((each) => each.value)
  return { volume, lines, value, asked: () => asked }
}

describe('AuditVolume', () => {
  it('counts data and write-ahead log against its room, closes at 95 % and opens again by itself', async () => {
    const { volume, value } = volumeOf(10 * GIB, 8.4, 8.6, 9.1, 3)
    const seen = []
    for (let i = 0; i < 4; i += 1) {
      await volume.measure()
      seen.push([volume.isShort, volume.obstacle()?.code, volume.ready().ok])
    }
    expect(seen).toEqual([
      [false, undefined, true],
      [true, undefined, true],
      [true, 'ERR_AUDIT_STORAGE_FULL', false],
      [false, undefined, true],
    ])
    expect(await value('palisade_audit_volume_used_bytes')).toEqual([3 * GIB, 0.5 * GIB])
    expect(await value('palisade_audit_volume_watermark')).toEqual([0])
  })

  it('keeps to its last answer while the database cannot be asked, and says so once', async () => {
    const { volume, lines, value } = volumeOf(GIB, 1, new Error('away'), new Error('away'), 0.1)
    for (let i = 0; i < 3; i += 1) await volume.measure()
    expect(volume.isClosed).toBe(true)
    expect(await value('palisade_audit_volume_failures_total')).toEqual([2])
    expect(lines.filter((line) => line.includes('Could not measure'))).toHaveLength(1)
    await volume.measure()
    expect(volume.isClosed).toBe(false)
  })

  it('refuses nothing where nobody said how much room there is, and shows that as a capacity of 0', async () => {
    const { volume, value } = volumeOf(0, 500)
    await volume.measure()
    expect([volume.isShort, volume.obstacle()]).toEqual([false, undefined])
    expect(await value('palisade_audit_volume_capacity_bytes')).toEqual([0])
  })

  it('asks once, however many want to know at a time', async () => {
    const { volume, asked } = volumeOf(GIB, 0)
    await Promise.all([volume.measure(), volume.measure(), volume.measure()])
    expect(asked()).toBe(1)
  })
})
