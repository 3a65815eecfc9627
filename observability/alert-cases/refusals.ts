import type { AlertCase } from './alert-case.ts'

const UNSEEN =
  'palisade_rotation_refusals_unseen{job="operator",exported_namespace="shop",name="orders-db"}'
const FAILURES = 'palisade_refusal_flush_failures_total{job="gateway",pod="a"}'

export const REFUSAL_CASES: Readonly<Record<string, AlertCase>> = {
  RefusalCountsUnwritten: {
    fires: {
      series: { [FAILURES]: '0+15x60' },
      at: '12m',
      summary: 'Counted refusals cannot be written: 300 attempts in five minutes.',
    },
    silent: {
      // A fail-over of a minute, again and again.
      series: { [FAILURES]: '0+10x60' },
      at: '12m',
    },
  },
  RotationRefusalsUnseen: {
    fires: {
      series: { [UNSEEN]: '0x4 1x20' },
      at: '5m',
      labels: { exported_namespace: 'shop', name: 'orders-db' },
      summary: 'Rotation shop/orders-db watches a disabled user and cannot read who is refused.',
    },
    silent: {
      // A database pod that is replaced within a minute and a half.
      series: { [UNSEEN]: '0x4 1x6 0x20' },
      at: '5m',
    },
  },
  PurgeFailing: {
    fires: {
      series: { 'palisade_purge_failures_total{job="sealer"}': '0+1x400' },
      at: '90m',
      summary: 'Old rows could not be taken away: 240 attempts failed in an hour.',
    },
    silent: {
      // A fail-over: five attempts in a row, then none.
      series: { 'palisade_purge_failures_total{job="sealer"}': '0+1x5 5x400' },
      at: '90m',
    },
  },
}
