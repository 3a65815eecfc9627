import type { AlertCase } from './alert-case.ts'

const OVERDUE =
  'palisade_rotation_overdue_seconds{job="operator",exported_namespace="shop",name="orders-db"}'
const STALLED =
  'palisade_rotation_stalled{job="operator",exported_namespace="shop",name="orders-db"}'
const UNDELIVERED =
  'palisade_audit_undelivered_seconds{job="operator",exported_namespace="shop",name="orders-db"}'
const ORDERS = { exported_namespace: 'shop', name: 'orders-db' }

export const ROTATION_CASES: Readonly<Record<string, AlertCase>> = {
  RotationOverdue: {
    fires: {
      series: { [OVERDUE]: '3600+15x60' },
      at: '10m',
      labels: ORDERS,
      summary: 'Rotation shop/orders-db is overdue by 1h 10m 0s.',
    },
    silent: { series: { [OVERDUE]: '0+15x60 0x10' }, at: '15m' },
  },
  RotationStalled: {
    fires: {
      series: { [STALLED]: '0x4 1x40' },
      at: '10m',
      labels: ORDERS,
      summary: 'Rotation shop/orders-db has stopped and waits for a person.',
    },
    silent: { series: { [STALLED]: '0x4 1x10 0x30' }, at: '10m' },
  },
  AuditUndelivered: {
    fires: {
      series: { [UNDELIVERED]: '0+15x40' },
      at: '7m',
      labels: ORDERS,
      summary: 'Steps of rotation shop/orders-db have waited 7m 0s for the audit log.',
    },
    silent: {
      // A gateway that is rolled: an entry waits for four minutes and is taken.
      series: { [UNDELIVERED]: '0+15x16 _x20' },
      at: '9m',
    },
  },
}
