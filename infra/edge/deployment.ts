import type { StackConfig } from '../config/schema.ts'
import { PORTS, tlsSecret } from '../names.ts'
import { labelsOf, selectorOf } from '../workload/labels.ts'
import { START, START_SECONDS, STOP } from './start.ts'
import { resources, restrictedContainer, restrictedPod } from '../workload/security.ts'
import { configFiles, mountsOf, scratch, secretFiles, volumesOf } from '../workload/volumes.ts'

export const HEALTH_PORT = 8081

export interface EdgeDeploymentWish {
  readonly image: string
  readonly replicas: number
  readonly exposure: StackConfig['edge']['exposure']
  readonly configDigest: string
}

const CONFIG = configFiles('config', 'edge', '/etc/palisade/edge')
const TLS = secretFiles('tls', tlsSecret('edge'), '/etc/palisade/tls')
const TMP = scratch('tmp', '/tmp', '256Mi')

/** A machine or a zone that is lost must not take every copy with it. */
const SPREAD = ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: selectorOf('edge') },
}))

export const edgeDeployment = (wish: EdgeDeploymentWish) => {
  const onHost = wish.exposure === 'HostPort'
  const port = (name: string, containerPort: number) => ({
    name,
    containerPort,
    ...(onHost ? { hostPort: containerPort } : {}),
  })
  const probe = (periodSeconds: number) => ({
    httpGet: { path: '/healthz', port: HEALTH_PORT },
    periodSeconds,
  })
  return {
    replicas: wish.replicas,
    // Two pods cannot hold one port of the node at a time.
    strategy: onHost
      ? { type: 'Recreate' }
      : { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: { matchLabels: selectorOf('edge') },
    template: {
      metadata: {
        labels: labelsOf('edge'),
        annotations: { 'palisade.dev/config': wish.configDigest },
      },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: restrictedPod(),
        terminationGracePeriodSeconds: 40,
        ...(wish.replicas > 1 ? { topologySpreadConstraints: SPREAD } : {}),
        containers: [
          {
            name: 'nginx',
            image: wish.image,
            imagePullPolicy: 'IfNotPresent',
            command: START,
            ports: [port('http', PORTS.edgePlain), port('https', PORTS.edgeTls)],
            securityContext: restrictedContainer(),
            resources: resources('50m', '64Mi', '256Mi'),
            startupProbe: { ...probe(1), failureThreshold: START_SECONDS },
            readinessProbe: probe(5),
            livenessProbe: probe(10),
            lifecycle: { preStop: { exec: { command: STOP } } },
            volumeMounts: mountsOf([CONFIG, TLS, TMP]),
          },
        ],
        volumes: volumesOf([CONFIG, TLS, TMP]),
      },
    },
  }
}
