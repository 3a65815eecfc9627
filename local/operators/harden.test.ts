import { describe, expect, it } from 'vitest'
import { harden } from './harden.ts'

const images = {
  'cert-manager-controller': 'palisade.local/cert-manager-controller:1',
  'cnpg-manager': 'palisade.local/cnpg-manager:2',
  'prometheus-operator': 'palisade.local/prometheus-operator:3',
  'prometheus-config-reloader': 'palisade.local/prometheus-config-reloader:4',
}

const deployment = (container: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'operator', namespace: 'somewhere' },
  spec: {
    template: {
      spec: {
        serviceAccountName: 'operator',
        securityContext: { runAsUser: 0 },
        containers: [{ name: 'operator', securityContext: { privileged: true }, ...container }],
      },
    },
  },
})

const hardened = (container: object) => {
  const pod = (harden(deployment(container), images) as unknown as ReturnType<typeof deployment>)
    .spec.template.spec
  return { pod, container: pod.containers[0] as Record<string, unknown> }
}

describe('harden', () => {
  it('puts our image in the place of the released one, known by its name without registry', () => {
    const { container } = hardened({ image: 'registry.test/jetstack/cert-manager-controller:v1' })
    expect(container.image).toBe('palisade.local/cert-manager-controller:1')
    expect(container.imagePullPolicy).toBe('IfNotPresent')
  })

  it('refuses an image that ours has no stand-in for', () => {
    expect(() => hardened({ image: 'registry.test/other:v1' })).toThrow(/registry\.test\/other:v1/)
  })

  it('tells CloudNativePG which image to copy itself from', () => {
    const { container } = hardened({
      image: 'registry.test/cnpg/cloudnative-pg:1.27.0',
      env: [{ name: 'OPERATOR_IMAGE_NAME', value: 'registry.test/cnpg/cloudnative-pg:1.27.0' }],
    })
    expect(container.env).toEqual([
      { name: 'OPERATOR_IMAGE_NAME', value: 'palisade.local/cnpg-manager:2' },
    ])
  })

  it('replaces the image of the config reloader and drops the one of the challenge solver', () => {
    const { container } = hardened({
      image: 'registry.test/prometheus-operator:v0',
      args: [
        '--prometheus-config-reloader=registry.test/prometheus-config-reloader:v0',
        '--acme-http01-solver-image=registry.test/acmesolver:v1',
        '--v=2',
      ],
    })
    expect(container.args).toEqual([
      '--prometheus-config-reloader=palisade.local/prometheus-config-reloader:4',
      '--v=2',
      '--web.listen-address=127.0.0.1:8080',
    ])
  })

  it('lets no other pod ask CloudNativePG for what nobody scrapes', () => {
    const image = 'registry.test/cnpg/cloudnative-pg:1.27.0'
    const { container } = hardened({ image, args: ['controller', '--webhook-port=9443'] })
    expect(container.args).toEqual([
      'controller',
      '--webhook-port=9443',
      '--metrics-bind-address=0',
    ])
  })

  it('asks every two seconds whether a program is there, and is as patient as before', () => {
    const { container } = hardened({
      image: 'registry.test/prometheus-operator:v0',
      startupProbe: { httpGet: { path: '/up' }, failureThreshold: 6, periodSeconds: 5 },
      readinessProbe: { httpGet: { path: '/up' }, initialDelaySeconds: 5, periodSeconds: 5 },
    })
    expect(container.startupProbe).toEqual({
      httpGet: { path: '/up' },
      periodSeconds: 2,
      failureThreshold: 15,
    })
    expect(container.readinessProbe).toEqual({
      httpGet: { path: '/up' },
      periodSeconds: 2,
      failureThreshold: 10,
    })
  })

  it('leaves no right beyond Pod Security restricted, and limits', () => {
    const { pod, container } = hardened({ image: 'registry.test/prometheus-operator:v0' })
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.resources).toHaveProperty('limits.memory')
    expect(pod.serviceAccountName).toBe('operator')
  })
})
