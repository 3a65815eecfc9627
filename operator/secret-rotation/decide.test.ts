import { describe, expect, it } from 'vitest'
import { decide } from './decide.ts'
import type { Observed } from './observed.ts'
import {
  ago,
  connected,
  deployment,
  NOON,
  observed,
  pod,
  session,
  type Wish,
} from './testkit/observed.ts'

const TIMING = { pollMs: 5_000, resyncMs: 600_000 }
const plan = (wish: Wish = {}) => decide(observed(wish), NOON, TIMING)

const behind = (name: string, change = {}) =>
  deployment(name, { templateVersion: '1', pods: [pod(`${name}-1`, { version: '1' })], ...change })

describe('decide, between two rotations', () => {
  it('keeps up and comes back for the resync when nothing is due', () => {
    expect(plan()).toEqual({ do: 'keepUp', ms: 600_000 })
  })

  it('comes back when the next rotation is due, if that is earlier', () => {
    expect(plan({ state: { lastRotationTime: ago('719h') }, spec: every('719h') })).toMatchObject({
      do: 'begin',
    })
    const soon = plan({ state: { lastRotationTime: ago('59m') }, spec: every('1h') })
    expect(soon).toEqual({ do: 'keepUp', ms: 60_000 })
  })

  it('issues the first value to the first role', () => {
    expect(plan({ state: { current: null } })).toEqual({
      do: 'begin',
      why: 'FirstIssue',
      role: 'shop_a',
    })
  })

  it('gives the next value to the other role when the period has ended', () => {
    expect(plan({ state: { lastRotationTime: ago('2h') }, spec: every('1h') })).toEqual({
      do: 'begin',
      why: 'PeriodHasEnded',
      role: 'shop_b',
    })
  })

  it('rotates for a token that it has not handled yet, and once', () => {
    const annotations = { 'palisade.dev/rotate-now': 'monday' }
    expect(plan({ annotations })).toMatchObject({ do: 'begin', why: 'Requested' })
    const handled = { lastHandledRotateNow: 'monday' }
    expect(plan({ annotations, state: handled })).toMatchObject({ do: 'keepUp' })
  })

  it('answers a leak before a request', () => {
    const annotations = { 'palisade.dev/rotate-now': 'x', 'palisade.dev/leaked': 'pasted' }
    expect(plan({ annotations })).toMatchObject({ do: 'begin', why: 'Leaked' })
  })

  it('issues anew when the current value is refused, long before the period ends', () => {
    expect(plan({ seen: { currentLogin: 'refused' } })).toMatchObject({ why: 'CurrentIsRefused' })
    expect(plan({ seen: { currentLogin: 'accepted' } })).toMatchObject({ do: 'keepUp' })
  })

  it('starts nothing while it is suspended, whatever is due', () => {
    const wish = { state: { lastRotationTime: ago('2h') }, spec: { ...every('1h'), suspend: true } }
    expect(plan(wish)).toMatchObject({ do: 'wait', reason: 'Suspended' })
  })

  it('starts nothing while preflight finds a problem, and says which', () => {
    const seen = { preflight: ['role "shop_b" owns objects: reassign them'] }
    expect(plan({ seen, spec: every('1h') })).toMatchObject({
      do: 'wait',
      reason: 'PreflightFailed',
      message: 'role "shop_b" owns objects: reassign them',
      stalled: true,
    })
  })

  it('lets a rotation that was missed wait for the next window', () => {
    const windows = [{ start: '0 3 * * *', duration: '1h' }]
    const wish = { state: { lastRotationTime: ago('48h') }, spec: every('1h', { windows }) }
    expect(plan(wish)).toMatchObject({ do: 'wait', reason: 'WaitingForWindow' })
  })
})

describe('decide, where others of the backend move', () => {
  const requested = { annotations: { 'palisade.dev/rotate-now': 'x' } }
  const due = { state: { lastRotationTime: ago('2h') }, spec: every('1h') }
  const busy = (wish: Wish, turn: Observed['turn'] = { ahead: 4, limit: 4 }) =>
    plan({ ...wish, seen: { ...wish.seen, turn } })

  it.each([
    ['due', due],
    ['requested', requested],
  ])('lets a rotation that is %s wait when as many move as may, and says where', (_, wish) => {
    expect(busy(wish)).toEqual({
      do: 'wait',
      reason: 'WaitingForTurn',
      message: expect.stringMatching(
        /4 rotations move .* RotationBackend "main" \(spec.maxConcurrent\)/,
      ),
      ms: 60_000,
    })
    expect(busy(wish, { ahead: 3, limit: 4 })).toMatchObject({ do: 'begin' })
  })

  it('lets one far back in the line look again no more often than one at rest', () => {
    const far = { ahead: 1_000, limit: 4 }
    expect(busy(due, far)).toMatchObject({ reason: 'WaitingForTurn', ms: TIMING.resyncMs })
  })

  it('lets neither a leaked value wait, nor one that is refused, nor the first', () => {
    const annotations = { 'palisade.dev/leaked': 'pasted' }
    expect(busy({ annotations })).toMatchObject({ do: 'begin', why: 'Leaked' })
    const refused = { seen: { currentLogin: 'refused' as const } }
    expect(busy(refused)).toMatchObject({ do: 'begin', why: 'CurrentIsRefused' })
    expect(busy({ state: { current: null } })).toMatchObject({ do: 'begin', why: 'FirstIssue' })
  })

  it('holds up none that runs, although the limit was lowered', () => {
    expect(busy({ flight: { step: 'setVerifier' } })).toEqual({ do: 'setVerifier' })
    expect(busy({ flight: { step: 'converge' } })).toMatchObject({ do: 'noteQuiet' })
  })

  it('says nothing of turns while nothing is due', () => {
    expect(busy({})).toMatchObject({ do: 'keepUp' })
  })
})

describe('decide, with an intent on record', () => {
  for (const step of [
    'setVerifier',
    'testLogin',
    'publishValue',
    'publishSecret',
    'disable',
    'terminate',
    'enable',
    'destroyVerifier',
    'destroyValue',
    'dropPrevious',
  ] as const) {
    it(`carries out ${step} before it thinks of anything else`, () => {
      const annotations = { 'palisade.dev/rotate-now': 'x' }
      expect(plan({ flight: { step }, annotations })).toEqual({ do: step })
    })
  }

  it('stops a suspended rotation before publication and no later', () => {
    const spec = { suspend: true }
    expect(plan({ flight: { step: 'testLogin' }, spec })).toMatchObject({ reason: 'Suspended' })
    expect(plan({ flight: { step: 'publishValue' }, spec })).toEqual({ do: 'publishValue' })
    expect(plan({ flight: { step: 'publishSecret' }, spec })).toEqual({ do: 'publishSecret' })
  })
})

describe('decide, while consumers move to version 2', () => {
  it('is complete at once when there is no previous value', () => {
    expect(plan({ flight: {}, state: { previous: null } })).toEqual({ do: 'complete' })
  })

  it('notes a restart before it restarts', () => {
    const consumers = [behind('web')]
    expect(plan({ flight: {}, seen: { consumers } })).toEqual({
      do: 'noteRestart',
      workload: 'Deployment/web',
    })
    const restarts = { 'Deployment/web': ago('0s') }
    expect(plan({ flight: { restarts }, seen: { consumers } })).toMatchObject({ do: 'restart' })
  })

  it('waits while one of three consumers still reads version 1', () => {
    const consumers = [
      deployment('a'),
      deployment('b'),
      deployment('c', { pods: [pod('c-old', { version: '1' })] }),
    ]
    const restarts = { 'Deployment/c': ago('1m') }
    expect(plan({ flight: { restarts }, seen: { consumers } })).toMatchObject({
      do: 'wait',
      reason: 'ConsumersLagBehind',
      message: '1 of 3 consumers lag behind; Deployment/c: pod c-old still reads version 1',
    })
  })

  it('restarts no second consumer while the first is on its way and maxConcurrent is 1', () => {
    const first = deployment('a', { pods: [pod('a-2', { readySince: undefined })] })
    const seen = { consumers: [first, behind('b')] }
    const flight = { restarts: { 'Deployment/a': ago('1m') } }
    expect(plan({ flight, seen })).toMatchObject({ do: 'wait', reason: 'ConsumersLagBehind' })
    const two = {
      consumers: {
        ...observed().rotation.spec.consumers,
        restart: { maxConcurrent: 2, timeout: '10m', coalesce: '30s' },
      },
    }
    expect(plan({ flight, seen, spec: two })).toEqual({
      do: 'noteRestart',
      workload: 'Deployment/b',
    })
  })

  it('returns to the old value when a restarted consumer is not Ready after its timeout', () => {
    const consumers = [deployment('web', { pods: [pod('web-2', { readySince: undefined })] })]
    const flight = { restarts: { 'Deployment/web': ago('11m') } }
    expect(plan({ flight, seen: { consumers } })).toMatchObject({ do: 'rollBack' })
    expect(plan({ flight, seen: { consumers }, spec: { onUnhealthy: 'Hold' } })).toMatchObject({
      do: 'wait',
      reason: 'ConsumerUnhealthy',
      stalled: true,
    })
  })

  it('returns only once: after a roll back an unhealthy consumer is held', () => {
    const consumers = [deployment('web', { pods: [pod('web-2', { readySince: undefined })] })]
    const flight = { reason: 'RolledBack' as const, restarts: { 'Deployment/web': ago('11m') } }
    expect(plan({ flight, seen: { consumers } })).toMatchObject({ reason: 'ConsumerUnhealthy' })
  })

  it('never returns to a leaked value', () => {
    const consumers = [deployment('web', { pods: [pod('web-2', { readySince: undefined })] })]
    const flight = { reason: 'Leaked' as const, restarts: { 'Deployment/web': ago('11m') } }
    expect(plan({ flight, seen: { consumers } })).toMatchObject({ do: 'goOn', to: 'disable' })
  })
})

/** Waiting was not enough, and it says what a person may do. */
const OVERDUE = {
  do: 'wait',
  reason: 'OverlapEnded',
  stalled: true,
  message: expect.stringContaining('set spec.overlap.onMax: Revoke') as string,
}

describe('decide, before the previous user is disabled', () => {
  it('names the pod whose session is still open', () => {
    const consumers = [deployment('web', { pods: [pod('web-7c', { address: '10.244.0.9' })] })]
    const seen = { consumers, sessions: connected(session('10.244.0.9'), session('10.244.0.9')) }
    expect(plan({ flight: {}, seen })).toMatchObject({
      do: 'wait',
      reason: 'PreviousStillInUse',
      message: 'pod web-7c still connected as shop_a',
      holders: [{ address: '10.244.0.9', pod: 'web-7c', sessions: 2 }],
    })
  })

  it('forgets the quiet when a session comes back', () => {
    const seen = { sessions: connected(session('192.0.2.7')) }
    expect(plan({ flight: { quietSince: ago('1m') }, seen })).toEqual({
      do: 'noteQuiet',
      since: undefined,
    })
  })

  it('waits for an instance that gives no answer, names it, and forgets the quiet', () => {
    const seen = { sessions: { sessions: [], silent: ['10.0.0.3:5432'] } }
    expect(plan({ flight: { quietSince: ago('1h') }, seen })).toEqual({
      do: 'noteQuiet',
      since: undefined,
    })
    expect(plan({ flight: {}, seen })).toMatchObject({
      do: 'wait',
      reason: 'SessionsUnknown',
      message: 'No answer from 10.0.0.3:5432, so its sessions of shop_a are unknown',
    })
    const late = { flight: { publishedAt: ago('25h') }, seen }
    expect(plan(late)).toMatchObject(OVERDUE)
    const overlap = { min: '10m', max: '24h', quiet: '2m', onMax: 'Revoke' as const }
    expect(plan({ ...late, spec: { overlap } })).toMatchObject({ do: 'goOn', to: 'disable' })
  })

  it('holds both at overlap.max and is stalled, unless Revoke was chosen', () => {
    const wish = {
      flight: { publishedAt: ago('25h') },
      seen: { sessions: connected(session('192.0.2.7')) },
    }
    expect(plan(wish)).toMatchObject(OVERDUE)
    const overlap = { min: '10m', max: '24h', quiet: '2m', onMax: 'Revoke' as const }
    expect(plan({ ...wish, spec: { overlap } })).toMatchObject({ do: 'goOn', to: 'disable' })
  })

  it('does the same for a consumer that nobody can restart', () => {
    const old = pod('psql', { version: undefined })
    const bare = deployment('psql', { kind: 'Pod', resourceVersion: undefined, pods: [old] })
    const wish = { flight: { publishedAt: ago('25h') }, seen: { consumers: [bare] } }
    expect(plan(wish)).toMatchObject(OVERDUE)
    const overlap = { min: '10m', max: '24h', quiet: '2m', onMax: 'Revoke' as const }
    expect(plan({ ...wish, spec: { overlap } })).toMatchObject({ do: 'goOn', to: 'disable' })
  })

  it('starts counting the quiet, waits for the rest of it and then disables', () => {
    expect(plan({ flight: {} })).toEqual({ do: 'noteQuiet', since: NOON.toISOString() })
    expect(plan({ flight: { quietSince: ago('119s') } })).toMatchObject({ do: 'wait', ms: 1_000 })
    expect(plan({ flight: { quietSince: ago('2m') } })).toMatchObject({ do: 'goOn', to: 'disable' })
  })

  it('shuts a leaked value out although a workload may not be restarted', () => {
    const flight = (toldAt: string) => ({
      reason: 'Leaked' as const,
      restarts: { 'Deployment/web': ago(toldAt) },
    })
    const seen = { consumers: [behind('web')] }
    expect(plan({ flight: flight('30s'), seen })).toMatchObject({ do: 'restart' })
    expect(plan({ flight: flight('31s'), seen })).toMatchObject({ do: 'goOn', to: 'disable' })
  })

  it('lets the holders of the previous value lose when the current one leaks', () => {
    const annotations = { 'palisade.dev/leaked': 'pasted' }
    const seen = { sessions: connected(session('192.0.2.7')) }
    expect(plan({ flight: {}, seen, annotations })).toMatchObject({ do: 'goOn', to: 'disable' })
  })
})

describe('decide, while the disabled user is watched', () => {
  const watch = { step: 'watch' as const, disabledAt: ago('9m') }

  it('destroys after overlap.min and not a minute before', () => {
    expect(plan({ flight: watch })).toMatchObject({ do: 'wait', ms: 5_000 })
    expect(plan({ flight: { ...watch, disabledAt: ago('10m') } })).toMatchObject({
      do: 'goOn',
      to: 'destroyVerifier',
    })
  })

  it('lets the user in again when a consumer falls over', () => {
    const consumers = [deployment('web', { pods: [pod('web-2', { trouble: 'CrashLoopBackOff' })] })]
    expect(plan({ flight: watch, seen: { consumers } })).toMatchObject({ do: 'goOn', to: 'enable' })
  })

  it('lets nobody in again whom overlap.max has shut out', () => {
    const consumers = [deployment('web', { pods: [pod('web-2', { trouble: 'CrashLoopBackOff' })] })]
    const overlap = { min: '10m', max: '24h', quiet: '2m', onMax: 'Revoke' as const }
    const flight = { ...watch, publishedAt: ago('25h') }
    const answer = plan({ flight, seen: { consumers }, spec: { overlap } })
    expect(answer).toMatchObject({ do: 'wait', reason: 'Rotating' })
  })

  it('gets out of the way of a leak, whoever falls over', () => {
    const consumers = [deployment('web', { pods: [pod('web-2', { trouble: 'CrashLoopBackOff' })] })]
    const annotations = { 'palisade.dev/leaked': 'pasted' }
    const flight = { ...watch, disabledAt: ago('0s') }
    const answer = plan({ flight, seen: { consumers }, annotations })
    expect(answer).toMatchObject({ do: 'goOn', to: 'destroyVerifier' })
  })

  it('does not watch after a leak', () => {
    const flight = { ...watch, disabledAt: ago('0s'), reason: 'Leaked' as const }
    expect(plan({ flight })).toMatchObject({ to: 'destroyVerifier' })
  })
})

function every(period: string, more: object = {}) {
  return { schedule: { every: period, timeZone: 'UTC', jitter: '0s', ...more } }
}
