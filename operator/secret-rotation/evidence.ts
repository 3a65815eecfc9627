import type { SecretRotationSpec } from '#api/v1alpha1/secret-rotation'
import type { Consumer, ConsumerPod } from '../ports.ts'
import type { InFlight } from './state.ts'

export interface Standing {
  readonly consumer: Consumer
  readonly evidence: 'Restarted' | 'Acknowledged' | undefined
  /** What it still waits for; undefined when it has switched. */
  readonly lacks: string | undefined
}

type Extra = NonNullable<SecretRotationSpec['consumers']['extra']>

/** Judges each consumer by its Pods. A mounted file that was updated is no evidence, so it is not asked for. */
export function standings(
  consumers: readonly Consumer[],
  extra: Extra,
  flight: Pick<InFlight, 'version' | 'publishedAt'>,
  now: Date,
): readonly Standing[] {
  return consumers.map((consumer) => {
    const acknowledges = extra.some(
      ({ kind, name, evidence }) =>
        kind === consumer.kind && name === consumer.name && evidence === 'Acknowledged',
    )
    const lacks = acknowledges
      ? firstLack(consumer, (pod) => lacksAcknowledgement(pod, flight.version))
      : firstLack(consumer, (pod) => lacksRestart(pod, consumer, flight, now))
    return { consumer, evidence: acknowledges ? 'Acknowledged' : 'Restarted', lacks }
  })
}

function firstLack(
  consumer: Consumer,
  judge: (pod: ConsumerPod) => string | undefined,
): string | undefined {
  for (const pod of consumer.pods) {
    const lack = judge(pod)
    if (lack !== undefined) return lack
  }
  return undefined
}

const lacksAcknowledgement = (pod: ConsumerPod, version: number): string | undefined =>
  pod.acknowledged === String(version)
    ? undefined
    : `pod ${pod.name} has not acknowledged version ${version}`

/** Terminating pods count: a pool may hold its sessions until the very end of its grace period. */
function lacksRestart(
  pod: ConsumerPod,
  consumer: Consumer,
  { version, publishedAt = '' }: Pick<InFlight, 'version' | 'publishedAt'>,
  now: Date,
): string | undefined {
  if (pod.version !== String(version)) {
    const reads = pod.version === undefined ? 'an older version' : `version ${pod.version}`
    return `pod ${pod.name} still reads ${reads}`
  }
  if (Date.parse(pod.createdAt) < Date.parse(publishedAt)) {
    return `pod ${pod.name} was started before version ${version} was published`
  }
  if (pod.terminating) return undefined
  if (pod.readySince === undefined) return `pod ${pod.name} is not Ready`
  const readyFor = now.getTime() - Date.parse(pod.readySince)
  return readyFor >= consumer.minReadySeconds * 1000
    ? undefined
    : `pod ${pod.name} is Ready for less than ${consumer.minReadySeconds} s`
}

/** After the switch: a consumer that fell over, and by how it fell. Not being Ready for a moment is no fall. */
export function fallen(
  consumers: readonly Consumer[],
  now: Date,
  toleratedMs: number,
): { readonly consumer: Consumer; readonly why: string } | undefined {
  for (const consumer of consumers) {
    for (const pod of consumer.pods) {
      if (pod.terminating) continue
      if (pod.trouble !== undefined) return { consumer, why: `pod ${pod.name}: ${pod.trouble}` }
      const since = pod.notReadySince ?? pod.createdAt
      const unready = pod.readySince === undefined
      if (unready && now.getTime() - Date.parse(since) > toleratedMs) {
        return { consumer, why: `pod ${pod.name} is not Ready since ${since}` }
      }
    }
  }
  return undefined
}

export const labelOf = (consumer: Pick<Consumer, 'kind' | 'name'>): string =>
  `${consumer.kind}/${consumer.name}`
