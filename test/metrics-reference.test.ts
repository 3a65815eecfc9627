import { describe, expect, it } from 'vitest'
import { outdated } from '#api/gen/write'
import { metricsPage } from './support/metrics-page.ts'

describe('docs/reference/metrics.md', () => {
  it('lists every metric with its labels and meaning', async () => {
    expect(await outdated([metricsPage()])).toEqual([])
  })
  it('names the metrics of gateway, sealer and operator', () => {
    const { text } = metricsPage()
    expect(text.match(/^## \w+$/gm)).toEqual(['## gateway', '## sealer', '## operator'])
    expect(text).toContain('| `auth_login_total` | counter | `status`, `provider` |')
  })
})
