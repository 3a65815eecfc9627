import { describe, expect, it } from 'vitest'
import { exporterQueries } from './exporter.ts'

describe('exporterQueries', () => {
  it('counts who is in none of the networks of pods', () => {
    const { palisade_outside } = JSON.parse(
      exporterQueries(['10.244.0.0/16', 'fd00:10:244::/56']),
    ) as { palisade_outside: { query: string } }
    expect(palisade_outside.query).toContain("'10.244.0.0/16,fd00:10:244::/56'")
  })
})
