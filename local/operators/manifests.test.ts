import { describe, expect, it } from 'vitest'
import { operatorManifests } from './manifests.ts'
import { nameOf } from '../cluster/manifest.ts'
import { parseManifests } from './sources.ts'

const released = {
  certManager: parseManifests(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: certificates.cert-manager.io, creationTimestamp: null }
status: { acceptedNames: {} }
---
# nothing but a comment
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: cert-manager, namespace: cert-manager }
`),
  cloudNativePg: parseManifests('apiVersion: v1\nkind: Namespace\nmetadata: { name: cnpg-system }'),
  prometheusOperator: parseManifests(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: prometheus-operator }
subjects: [{ kind: ServiceAccount, name: prometheus-operator, namespace: default }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: prometheus-operator, namespace: default }
`),
}

const phases = operatorManifests(released, {}, '10.244.0.0/16')
const all = Object.values(phases).flat()
const phaseOf = (name: string) =>
  Object.values(phases).findIndex((phase) => phase.some((one) => nameOf(one) === name))

describe('operatorManifests', () => {
  it('makes namespaces, then policies and definitions, then the rest', () => {
    expect(phaseOf('Namespace cnpg-system')).toBe(0)
    expect(phaseOf('NetworkPolicy cnpg-system/default-deny')).toBe(1)
    expect(phaseOf('CustomResourceDefinition certificates.cert-manager.io')).toBe(1)
    expect(phaseOf('ServiceAccount cert-manager/cert-manager')).toBe(2)
  })

  it('enforces Pod Security restricted in each namespace, in place of the released one', () => {
    expect(phases.namespaces.map(({ metadata }) => metadata.name)).toEqual([
      'cert-manager',
      'cnpg-system',
      'prometheus-operator',
    ])
    for (const { metadata } of phases.namespaces) {
      expect(metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted')
    }
  })

  it('moves the bundle out of the namespace default, its subjects as well', () => {
    expect(phaseOf('ServiceAccount prometheus-operator/prometheus-operator')).toBe(2)
    const binding = all.find(({ kind }) => kind === 'ClusterRoleBinding')
    expect(binding?.subjects).toMatchObject([{ namespace: 'prometheus-operator' }])
  })

  it('claims no field that the server fills in', () => {
    const definition = all.find(({ kind }) => kind === 'CustomResourceDefinition')
    expect(definition).not.toHaveProperty('status')
    expect(definition?.metadata).not.toHaveProperty('creationTimestamp')
  })

  it('names every object once', () => {
    const names = all.map(nameOf)
    expect(new Set(names).size).toBe(names.length)
  })

  it('denies both directions in each namespace before it allows', () => {
    for (const namespace of ['cert-manager', 'cnpg-system', 'prometheus-operator']) {
      const deny = all.find((one) => nameOf(one).endsWith(`${namespace}/default-deny`))
      expect(deny?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
    }
  })
})
