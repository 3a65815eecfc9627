import { describe, expect, it } from 'vitest'
import { decide } from '../decide.ts'
import { describe as describeStatus } from '../describe.ts'
import { ago, deployment, NOON, observed, pod, type Wish } from '../testkit/observed.ts'

const TIMING = { pollMs: 5_000, resyncMs: 600_000 }
const plan = (wish: Wish) => decide(observed(wish), NOON, TIMING)

const watching = { step: 'watch', shutOutAt: ago('1m'), disabledAt: ago('1m') } as const
const clients = [{ address: '10.0.0.7', count: 3, lastAt: ago('10s') }]
const refused = { refusals: { kind: 'seen', clients } } as const
const OVERLAP = { min: '10m', max: '24h', quiet: '2m', onMax: 'Hold' } as const
const holder = { address: '10.0.0.7', pod: 'orders-1', sessions: 0, refused: 3 }

describe('decide, while the previous user is disabled', () => {
  it('lets it in again when a client was refused with its value, and names the pod', () => {
    const consumers = [deployment('orders', { pods: [pod('orders-1', { address: '10.0.0.7' })] })]
    expect(plan({ flight: watching, seen: { ...refused, consumers } })).toMatchObject({
      do: 'goOn',
      to: 'enable',
      refused: { times: 1, holders: [holder] },
    })
  })

  it('counts how often that happened', () => {
    const flight = { ...watching, refused: { times: 2, holders: [holder] } }
    expect(plan({ flight, seen: refused })).toMatchObject({ refused: { times: 3 } })
  })

  it('keeps it out when the previous value leaked, or the current one did meanwhile', () => {
    const destroys = { do: 'goOn', to: 'destroyVerifier' }
    expect(plan({ flight: { ...watching, reason: 'Leaked' }, seen: refused })).toMatchObject(
      destroys,
    )
    const annotations = { 'palisade.dev/leaked': 'pasted' }
    expect(plan({ flight: watching, seen: refused, annotations })).toMatchObject(destroys)
  })

  it('keeps it out after overlap.max with Revoke', () => {
    const spec = { overlap: { ...OVERLAP, onMax: 'Revoke' } } as const
    const flight = { ...watching, publishedAt: ago('25h') }
    expect(plan({ flight, spec, seen: refused })).toMatchObject({ do: 'wait', reason: 'Rotating' })
  })

  it('goes on when nothing can be seen, and says so in a condition of its own', () => {
    const reason = 'ServerLogsUnreadable' as const
    const refusals = { kind: 'unseen', reason, message: 'the log of db-1 cannot be read' } as const
    const seen = observed({ flight: { ...watching, disabledAt: ago('11m') }, seen: { refusals } })
    const next = decide(seen, NOON, TIMING)
    expect(next).toMatchObject({ do: 'goOn', to: 'destroyVerifier' })
    const { conditions } = describeStatus(seen, next, seen.state.value, NOON)
    const [condition] = conditions?.filter(({ type }) => type === 'RefusalsUnseen') ?? []
    expect(condition).toMatchObject({ status: 'True', reason, message: refusals.message })
  })
})

describe('decide, after the previous user was let in again', () => {
  const converging = (quietSince: string, change: object = {}): Wish => ({
    flight: { refused: { times: 1, holders: [holder] }, quietSince, ...change },
    spec: { overlap: OVERLAP },
  })

  it('names who was refused, and waits twice as long as before', () => {
    expect(plan(converging(ago('3m')))).toMatchObject({
      do: 'wait',
      reason: 'PreviousUserRefused',
      message: 'pod orders-1 was refused as shop_a, which may log in again for now',
      holders: [holder],
    })
    expect(plan(converging(ago('4m')))).toMatchObject({ do: 'goOn', to: 'disable' })
  })

  it('never waits longer than an hour between two attempts', () => {
    const flight = { refused: { times: 40, holders: [holder] } }
    expect(plan(converging(ago('59m'), flight))).toMatchObject({ do: 'wait' })
    expect(plan(converging(ago('60m'), flight))).toMatchObject({ do: 'goOn', to: 'disable' })
  })

  it('stalls after overlap.max, still naming it', () => {
    expect(plan(converging(ago('1m'), { publishedAt: ago('25h') }))).toMatchObject({
      reason: 'OverlapEnded',
      stalled: true,
      holders: [holder],
    })
  })
})
