import { describe, expect, it } from 'vitest'
import { outdated } from '#api/gen/write'
import { admissionPoliciesTemplate } from './chart.ts'

describe('admission policies of the chart', () => {
  it('are what policies/admission says now', async () => {
    expect(await outdated([admissionPoliciesTemplate()])).toEqual([])
  })
})
