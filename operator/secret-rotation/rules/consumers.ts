import { parseDuration } from '#core/duration'
import type { Consumer, WorkloadKind } from '../../ports.ts'
import type { Rule } from '../rule.ts'
import { labelOf, standings, type Standing } from '../evidence.ts'
import type { Observed } from '../observed.ts'
import type { Plan } from '../plan.ts'
import { planRestart } from '../restart.ts'
import { isForced, type InFlight } from '../state.ts'
import { OR_REVOKE, overlapIsOver } from './overlap.ts'

type Restartable = Consumer & { readonly kind: WorkloadKind; readonly resourceVersion: string }

const isRestartable = (consumer: Consumer): consumer is Restartable =>
  consumer.kind !== 'Pod' && consumer.resourceVersion !== undefined

export function standingsOf(seen: Observed, flight: InFlight, now: Date): readonly Standing[] {
  return standings(seen.consumers, seen.rotation.spec.consumers.extra ?? [], flight, now)
}

/** A restarted consumer that is not well after its time: go back while the old value still works. */
export const consumerIsUnhealthy: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  if (flight?.step !== 'converge') return undefined
  const timeout = parseDuration(seen.rotation.spec.consumers.restart.timeout)
  for (const { consumer, lacks } of standingsOf(seen, flight, now)) {
    const restartedAt = flight.restarts?.[labelOf(consumer)]
    if (lacks === undefined || restartedAt === undefined) continue
    const late = now.getTime() - Date.parse(restartedAt) > timeout
    // A template that does not carry the version yet waits for its turn; that is nobody's illness.
    if (!late || consumer.templateVersion !== String(flight.version)) continue
    const note = `${labelOf(consumer)}: ${lacks}, ${seen.rotation.spec.consumers.restart.timeout} after its restart`
    const mayRollBack = (seen.rotation.spec.onUnhealthy ?? 'RollBack') === 'RollBack'
    const fromOwnRollBack = flight.reason === 'RolledBack'
    if (mayRollBack && !fromOwnRollBack && !isForced(flight) && seen.previousValue?.issue) {
      return { do: 'rollBack', note }
    }
    const message = `${note}; make it Ready, and the rotation goes on`
    return { do: 'wait', reason: 'ConsumerUnhealthy', message, ms: pollMs, stalled: true }
  }
  return undefined
}

/** Restarts the next consumer while fewer than maxConcurrent are on their way, and waits for evidence. */
export const consumersLagBehind: Rule = (seen, now, { pollMs }) => {
  const flight = seen.state.value.rotation
  if (flight?.step !== 'converge') return undefined
  const behind = standingsOf(seen, flight, now).filter(({ lacks }) => lacks !== undefined)
  if (behind.length === 0) return undefined
  const next = nextRestart(seen, flight, behind, now)
  if (next && next.do !== 'wait') return next
  const names = behind.map(({ consumer, lacks }) => `${labelOf(consumer)}: ${lacks}`).slice(0, 5)
  // A consumer that nobody can restart, such as a bare Pod, must not keep the old value alive for ever.
  const { max, onMax } = seen.rotation.spec.overlap
  const over = overlapIsOver(seen, flight, now)
  if (over && onMax === 'Revoke') {
    return {
      do: 'goOn',
      to: 'disable',
      note: `overlap.max (${max}) is over; left behind: ${names.join('; ')}`,
    }
  }
  return {
    do: 'wait',
    reason: over ? 'OverlapEnded' : 'ConsumersLagBehind',
    ...(over ? { stalled: true } : {}),
    message: `${behind.length} of ${seen.consumers.length} consumers lag behind; ${names.join('; ')}${over ? `; mend or restart them, ${OR_REVOKE}` : ''}`,
    ms: next?.do === 'wait' ? Math.min(next.ms, pollMs) : pollMs,
  }
}

export function nextRestart(
  seen: Observed,
  flight: InFlight,
  behind: readonly Standing[],
  now: Date,
): Plan | undefined {
  const { maxConcurrent, coalesce } = seen.rotation.spec.consumers.restart
  const forced = isForced(flight)
  const told = (consumer: Consumer) => flight.restarts?.[labelOf(consumer)] !== undefined
  const pending = behind.filter(
    ({ consumer, evidence }) =>
      evidence === 'Restarted' &&
      isRestartable(consumer) &&
      consumer.templateVersion !== String(flight.version),
  )
  const onTheirWay = behind.filter(({ consumer }) => told(consumer)).length
  const intended = pending.find(({ consumer }) => told(consumer))
  const candidate = intended ?? (forced || onTheirWay < maxConcurrent ? pending[0] : undefined)
  if (!candidate || !isRestartable(candidate.consumer)) return undefined
  const { consumer } = candidate
  if (!told(consumer)) return { do: 'noteRestart', workload: labelOf(consumer) }
  const { namespace = '' } = seen.rotation.metadata
  const coalesceMs = forced ? 0 : parseDuration(coalesce)
  const { secretName } = seen.state.value.claim
  const plan = planRestart(consumer, namespace, secretName, flight.version, { now, coalesceMs })
  if (plan.kind === 'patch') return { do: 'restart', patch: plan.patch, restarts: plan.restarts }
  return { do: 'wait', reason: 'ConsumersLagBehind', message: 'restarts are gathered', ms: plan.ms }
}
