import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical-json.ts'
import { placeBytes } from './numbering.ts'

describe('placeBytes', () => {
  it('writes canonical JSON, whatever the place', () => {
    const place = fc.record({
      epoch: fc.nat(),
      seq: fc.maxSafeNat(),
      tenant: fc.uuid(),
      tenantSeq: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(place, (p) => {
        expect(placeBytes(p).toString()).toBe(canonicalJson(p))
      }),
    )
  })
})
