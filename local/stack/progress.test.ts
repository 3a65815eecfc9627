import { describe, expect, it } from 'vitest'
import { formatProgress, ProgressReader } from './progress.ts'

const URN =
  'urn:pulumi:dev::p::kubernetes:helm.sh/v4:Chart$kubernetes:core/v1:Service::small:shop/svc'

function reader() {
  const lines: string[] = []
  const clock = { now: 0 }
  const progress = new ProgressReader(
    (one) => lines.push(formatProgress(one)),
    () => clock.now,
  )
  const step = (op: string) => ({ metadata: { op, urn: URN } }) as never
  return { progress, lines, clock, step }
}

describe('ProgressReader', () => {
  it('tells a step with the time it took', () => {
    const { progress, lines, clock, step } = reader()
    progress.read({ resourcePreEvent: step('create') } as never)
    clock.now = 2500
    progress.read({ resOutputsEvent: step('create') } as never)
    expect(lines).toEqual([
      '  … create Service small:shop/svc',
      '  ✓ created Service small:shop/svc (2.5 s)',
    ])
  })

  it('is silent about what stays the same', () => {
    const { progress, lines, step } = reader()
    progress.read({ resourcePreEvent: step('same') } as never)
    progress.read({ resOutputsEvent: step('same') } as never)
    expect(lines).toEqual([])
  })

  it('collects errors once, without terminal colours', () => {
    const { progress } = reader()
    const event = {
      diagnosticEvent: {
        urn: URN,
        severity: 'error',
        message: '<{%fg 1%}>\u001b[31mno\u001b[0m<{%reset%}>\n',
      },
    }
    progress.read(event as never)
    progress.read(event as never)
    expect(progress.errors).toEqual(['Service small:shop/svc: no'])
  })
})
