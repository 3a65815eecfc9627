import type { StackConfig } from '../config/schema.ts'

type Postgres = StackConfig['postgres']

const MIB = 1024 ** 2
const UNITS: Readonly<Record<string, number>> = { Mi: MIB, Gi: 1024 * MIB, Ti: 1024 ** 2 * MIB }

/** @param quantity as the schema admits it: digits and Mi, Gi or Ti */
const bytesOf = (quantity: string): number =>
  Number(quantity.slice(0, -2)) * (UNITS[quantity.slice(-2)] ?? Number.NaN)

/** A file system keeps some for itself: 2 to 5 % with ext4, up to 5 % of a small one with XFS. */
const USABLE = 0.95

/** Room for database and audit log in bytes; 0 where it is somebody else's and nobody said. */
export function auditVolumeBytes({ storage, auditVolume, existing }: Postgres): number {
  const size = auditVolume ?? (existing ? undefined : storage)
  return size === undefined ? 0 : Math.floor(bytesOf(size) * USABLE)
}

/**
 * The write-ahead log grows up to max_wal_size by the load alone, and keeps wal_keep_size for a standby. The defaults,
 * 1 GB and 512 MB, would leave a volume of 1 GiB nothing for records. Where there is room it does not shrink again: a
 * quiet night would take its files away, and each that is made anew, 16 MB of zeros and a sync, is made by a commit while
 * all others wait.
 */
export function walSettings({ storage }: Postgres) {
  const mib = bytesOf(storage) / MIB
  const atMost = (limit: number, share: number) =>
    `${Math.max(64, Math.min(limit, Math.floor(mib * share)))}MB`
  return {
    max_wal_size: atMost(1024, 0.25),
    wal_keep_size: atMost(512, 0.125),
    min_wal_size: atMost(1024, 0.1),
  }
}
