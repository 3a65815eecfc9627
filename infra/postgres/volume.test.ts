import { describe, expect, it } from 'vitest'
import { auditVolumeBytes, walSettings } from './volume.ts'

const postgres = (storage: string, auditVolume?: string) => ({
  ...{ instances: 1, version: 17, storage },
  ...(auditVolume === undefined ? {} : { auditVolume }),
})
const existing = {
  ...{ secret: 'managed', host: 'db.example.net', port: 5432, database: 'app' },
  cidrs: ['10.0.0.1/32'],
}

describe('auditVolumeBytes', () => {
  it('is the storage without what a file system takes, in whole bytes', () => {
    expect(auditVolumeBytes(postgres('1Gi'))).toBe(1_020_054_732)
    expect(auditVolumeBytes(postgres('512Mi'))).toBe(510_027_366)
    expect(auditVolumeBytes(postgres('2Ti'))).toBe(2_089_072_092_774)
  })

  it("is what the stack says, and not known for somebody else's database where it says nothing", () => {
    expect(auditVolumeBytes(postgres('1Gi', '10Gi'))).toBe(10_200_547_328)
    expect(auditVolumeBytes({ ...postgres('1Gi'), existing })).toBe(0)
    expect(auditVolumeBytes({ ...postgres('1Gi', '10Gi'), existing })).toBe(10_200_547_328)
  })
})

describe('walSettings', () => {
  it('leaves a small volume room for records, and a large one the ordinary settings', () => {
    expect(walSettings(postgres('1Gi'))).toEqual({
      ...{ max_wal_size: '256MB', wal_keep_size: '128MB', min_wal_size: '102MB' },
    })
    expect(walSettings(postgres('50Gi'))).toEqual({
      ...{ max_wal_size: '1024MB', wal_keep_size: '512MB', min_wal_size: '1024MB' },
    })
  })

  it('lets the log keep its files where there is room, and never asks for more than it may grow to', () => {
    const mib = (size: string) => Number(size.replace('MB', ''))
    for (const storage of ['128Mi', '512Mi', '1Gi', '5Gi', '10Gi', '2Ti']) {
      const { max_wal_size: most, min_wal_size: least } = walSettings(postgres(storage))
      expect(mib(least)).toBeLessThanOrEqual(mib(most))
    }
    expect(walSettings(postgres('10Gi')).min_wal_size).toBe('1024MB')
  })
})
