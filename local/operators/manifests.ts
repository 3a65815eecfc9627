import { harden } from './harden.ts'
import { networkPolicies } from './network-policies.ts'
import type { Manifest } from '../cluster/manifest.ts'

export interface Released {
  readonly certManager: readonly Manifest[]
  readonly cloudNativePg: readonly Manifest[]
  readonly prometheusOperator: readonly Manifest[]
}

/** One phase after the other: policies are there before the first pod, definitions before the operators. */
export type Phases = Readonly<
  Record<'namespaces' | 'definitions' | 'operators', readonly Manifest[]>
>

const NAMESPACES = ['cert-manager', 'cnpg-system', 'prometheus-operator'] as const

const namespace = (name: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'latest',
      'pod-security.kubernetes.io/audit': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    },
  },
})

/** The bundle is written for the namespace `default`. */
const moved = (manifest: Manifest, from: string, to: string): Manifest => {
  const subjects = manifest.subjects as { namespace?: string }[] | undefined
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      ...(manifest.metadata.namespace === from ? { namespace: to } : {}),
    },
    ...(subjects
      ? {
          subjects: subjects.map((one) =>
            one.namespace === from ? { ...one, namespace: to } : one,
          ),
        }
      : {}),
  }
}

/** Fields that a server fills in: to apply them would be to claim them. */
const withoutServerFields = (manifest: Manifest): Manifest => {
  const { status: _status, ...rest } = manifest
  const { creationTimestamp: _created, ...metadata } = manifest.metadata as Manifest['metadata'] & {
    creationTimestamp?: unknown
  }
  return { ...rest, metadata }
}

const isDefinition = ({ kind }: Manifest): boolean => kind === 'CustomResourceDefinition'

export const operatorManifests = (
  released: Released,
  images: Readonly<Record<string, string>>,
  podCidr: string,
): Phases => {
  const all = [
    ...released.certManager,
    ...released.cloudNativePg.filter(({ kind }) => kind !== 'Namespace'),
    ...released.prometheusOperator.map((one) => moved(one, 'default', 'prometheus-operator')),
  ].map((one) => harden(withoutServerFields(one), images))
  return {
    namespaces: NAMESPACES.map(namespace),
    definitions: [...networkPolicies(podCidr), ...all.filter(isDefinition)],
    operators: all.filter((one) => !isDefinition(one)),
  }
}
