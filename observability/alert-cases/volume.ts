import type { AlertCase } from '../alert-cases.ts'

const USED = 'palisade_audit_volume_used_bytes{job="gateway",pod="a"'
const CAPACITY = 'palisade_audit_volume_capacity_bytes{job="gateway",pod="a"}'
const WATERMARK = 'palisade_audit_volume_watermark{job="gateway",pod="a"}'
const REFUSED = 'palisade_audit_refused_total{job="gateway",reason="ERR_AUDIT_STORAGE_FULL"}'

export const VOLUME_CASES: Readonly<Record<string, AlertCase>> = {
  AuditVolumeFilling: {
    fires: {
      series: {
        [`${USED},part="data"}`]: '500x4 660x20',
        [`${USED},part="wal"}`]: '160x24',
        [CAPACITY]: '1000x24',
      },
      at: '3m',
      summary: 'The volume of database and audit log is 82% full.',
    },
    silent: {
      series: {
        // Seen by two replicas, which must not be added up; and somebody else's database, whose room nobody knows.
        [`${USED},part="data"}`]: '600x24',
        [`${USED.replace('"a"', '"b"')},part="data"}`]: '600x24',
        [CAPACITY]: '1000x24',
        [CAPACITY.replace('"a"', '"b"')]: '0x24',
      },
      at: '5m',
    },
  },
  AuditStorageFull: {
    fires: {
      // The volume has room by what the database takes, and the disk is full all the same.
      series: { [WATERMARK]: '0x24', [REFUSED]: '0x4 0+5x20' },
      at: '3m',
      summary: 'Requests are refused since no audit record can be written.',
    },
    silent: { series: { [WATERMARK]: '1x24', [REFUSED]: '7x24' }, at: '5m' },
  },
}
