import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gcra } from './gcra.ts'
import { LocalLimiter } from './local-limiter.ts'
import { AUTH, type LimitPolicy } from './policy.ts'
import { shareOf } from './redis-limiter.ts'

const policies = fc.record({
  name: fc.constant('p'),
  limit: fc.integer({ min: 1, max: 200 }),
  periodMs: fc.integer({ min: 10, max: 900_000 }),
  withoutRedis: fc.constant('local' as const),
}) satisfies fc.Arbitrary<LimitPolicy>

/** Admitted instants when requests come with these gaps (microseconds). */
function admitted(policy: LimitPolicy, gaps: readonly number[]): number[] {
  let at = 1_700_000_000_000_000
  let arrival: number | undefined
  const instants: number[] = []
  for (const gap of gaps) {
    at += gap
    const step = gcra(policy, arrival, at)
    arrival = step.arrival
    if (step.decision.allowed) instants.push(at)
  }
  return instants
}

describe('gcra', () => {
  it('admits exactly the limit at once and refuses the next one', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const gaps = Array<number>(policy.limit + 20).fill(0)
        expect(admitted(policy, gaps)).toHaveLength(policy.limit)
      }),
    )
  })

  it('admits in any span no more than the limit and what the span gives back', () => {
    fc.assert(
      fc.property(
        policies,
        fc.array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 400 }),
        (policy, gaps) => {
          const instants = admitted(policy, gaps)
          const interval = (policy.periodMs * 1000) / policy.limit
          for (let i = 0; i < instants.length; i += 11) {
            const from = instants[i] ?? 0
            for (let j = i; j < instants.length; j += 7) {
              const span = (instants[j] ?? 0) - from
              expect(j - i + 1).toBeLessThanOrEqual(policy.limit + Math.floor(span / interval))
            }
          }
        },
      ),
    )
  })

  it('admits after the wait that it named, and not a millisecond and a half before', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const start = 1_700_000_000_000_000
        let arrival: number | undefined
        for (let i = 0; i < policy.limit; i++) arrival = gcra(policy, arrival, start).arrival
        const { decision } = gcra(policy, arrival, start)
        const wait = decision.retryAfterMs * 1000
        expect(decision.allowed).toBe(false)
        expect(gcra(policy, arrival, start + wait).decision.allowed).toBe(true)
        if (wait > 2000)
          expect(gcra(policy, arrival, start + wait - 1500).decision.allowed).toBe(false)
      }),
    )
  })

  it('takes several at once like as many one after another', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 200 }), (policy, cost) => {
        let arrival: number | undefined
        let taken = 0
        for (; taken < cost; taken++) {
          const step = gcra(policy, arrival, 1e15)
          if (!step.decision.allowed) break
          arrival = step.arrival
        }
        const atOnce = gcra(policy, undefined, 1e15, cost)
        expect(atOnce.decision.allowed).toBe(taken === cost)
        if (taken === cost) expect(atOnce.arrival).toBe(arrival)
      }),
    )
  })

  it('counts down what remains to 0', () => {
    let arrival: number | undefined
    const left = [0, 0, 0, 0, 0].map(() => {
      const step = gcra(AUTH, arrival, 1e15)
      arrival = step.arrival
      return step.decision.remaining
    })
    expect(left).toEqual([4, 3, 2, 1, 0])
  })
})

describe('LocalLimiter', () => {
  it('keeps subjects and policies apart', () => {
    const limiter = new LocalLimiter(() => 1)
    for (let i = 0; i < 5; i++) expect(limiter.take(AUTH, 'a').allowed).toBe(true)
    expect(limiter.take(AUTH, 'a').allowed).toBe(false)
    expect(limiter.take(AUTH, 'b').allowed).toBe(true)
    expect(limiter.take({ ...AUTH, name: 'other' }, 'a').allowed).toBe(true)
  })

  it('forgets the key that was used least recently when it is full', () => {
    const limiter = new LocalLimiter(() => 1, 2)
    for (let i = 0; i < 5; i++) limiter.take(AUTH, 'a')
    limiter.take(AUTH, 'b')
    expect(limiter.take(AUTH, 'a').allowed).toBe(false)
    limiter.take(AUTH, 'c')
    expect(limiter.take(AUTH, 'a').allowed).toBe(true)
  })
})

describe('shareOf', () => {
  it('lets all replicas together admit no more than the limit, and each at least one', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 50 }), (policy, replicas) => {
        const { limit } = shareOf(policy, replicas)
        expect(limit).toBeGreaterThanOrEqual(1)
        if (policy.limit >= replicas) expect(limit * replicas).toBeLessThanOrEqual(policy.limit)
      }),
    )
  })
})
