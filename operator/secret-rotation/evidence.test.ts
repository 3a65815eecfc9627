import { describe, expect, it } from 'vitest'
import { fallen, standings } from './evidence.ts'
import { ago, deployment, NOON, pod } from './testkit/observed.ts'
import type { ConsumerPod } from '../ports.ts'

const flight = { version: 2, publishedAt: ago('5m') }
const lack = (change: Partial<ConsumerPod>, minReadySeconds = 0) =>
  standings(
    [deployment('web', { minReadySeconds, pods: [pod('web-1', change)] })],
    [],
    flight,
    NOON,
  )[0]?.lacks

describe('standings', () => {
  it('counts a Pod that was started for the version, after publication, and is Ready', () => {
    expect(lack({})).toBeUndefined()
  })

  it.each([
    ['carries no version', { version: undefined }, 'still reads an older version'],
    ['carries the version before', { version: '1' }, 'still reads version 1'],
    ['was started before publication', { createdAt: ago('6m') }, 'before version 2 was published'],
    ['is not Ready', { readySince: undefined }, 'is not Ready'],
    [
      'terminates with the old version',
      { version: '1', terminating: true },
      'still reads version 1',
    ],
  ])('does not count a Pod that %s', (_case, change, words) => {
    expect(lack(change)).toContain(words)
  })

  it('counts a Pod only after minReadySeconds', () => {
    expect(lack({ readySince: ago('29s') }, 30)).toContain('less than 30 s')
    expect(lack({ readySince: ago('30s') }, 30)).toBeUndefined()
  })

  it('takes the word of a consumer that reloads by itself, and no Pod age for it', () => {
    const extra = [{ kind: 'Deployment' as const, name: 'web', evidence: 'Acknowledged' as const }]
    const told = (acknowledged: string | undefined) => {
      const pods = [pod('web-1', { version: undefined, createdAt: ago('9h'), acknowledged })]
      return standings([deployment('web', { pods })], extra, flight, NOON)[0]?.lacks
    }
    expect(told('2')).toBeUndefined()
    expect(told('1')).toContain('has not acknowledged version 2')
  })
})

describe('fallen', () => {
  it('is not moved by a Pod that has just started', () => {
    const pods = [pod('web-2', { readySince: undefined, createdAt: ago('5s') })]
    expect(fallen([deployment('web', { pods })], NOON, 20_000)).toBeUndefined()
  })

  it('names a Pod that has not been Ready for longer than is tolerated', () => {
    const pods = [pod('web-2', { readySince: undefined, notReadySince: ago('21s') })]
    expect(fallen([deployment('web', { pods })], NOON, 20_000)?.why).toContain('web-2 is not Ready')
  })
})
