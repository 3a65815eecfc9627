import type { AlertCase } from '../alert-cases.ts'

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
}
