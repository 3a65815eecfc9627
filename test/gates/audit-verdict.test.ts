import { describe, expect, it } from 'vitest'
import { openFindings, type AuditReport } from './audit-verdict.ts'

const advisory = 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc'
const report: AuditReport = {
  vulnerabilities: {
    left: { severity: 'high', via: [{ url: advisory }] },
    right: { severity: 'high', via: ['left'] },
  },
}

describe('openFindings', () => {
  it('names the package, the severity and the advisory', () => {
    expect(openFindings(report, [], '2026-11-21')).toEqual([`left: high, ${advisory}`])
  })
  it('accepts a finding until the day its exception ends', () => {
    const exception = { advisory, reason: 'not reachable', until: '2026-11-21' }
    expect(openFindings(report, [exception], '2026-11-21')).toEqual([])
    expect(openFindings(report, [exception], '2026-11-22')).toHaveLength(1)
  })
  it.each([
    ['a year', { until: '2099', reason: 'not reachable' }],
    ['words', { until: 'when it is mended', reason: 'not reachable' }],
    ['no reason', { until: '2026-11-22', reason: ' ' }],
  ])('takes no exception with %s for a dated one', (_, exception) => {
    expect(openFindings(report, [{ advisory, ...exception }], '2026-11-21')).toHaveLength(1)
  })
})
