import { PORTS, tlsSecret } from '../names.ts'
import { labelsOf, selectorOf } from '../workload/labels.ts'
import { resources, restrictedContainer, restrictedPod } from '../workload/security.ts'
import {
  apiServerToken,
  configFiles,
  mountsOf,
  scratch,
  secretFiles,
  volumesOf,
} from '../workload/volumes.ts'
import { NODES_SERVICE, nodeAddresses } from './nodes.ts'
import { cloudIdentity, sealEnvironment, sealFiles, type SealWish } from './seal.ts'

export interface OpenBaoWish extends SealWish {
  readonly image: string
  /** Image of our own programs: of several nodes each decides by it how it starts. */
  readonly controlImage: string
  readonly replicas: number
  readonly storage: string
  readonly storageClass?: string
}

const CONFIG = configFiles('config', 'openbao', '/etc/openbao')
const CHOSEN = scratch('chosen', '/run/openbao')
const TLS = secretFiles('tls', tlsSecret('openbao'), '/etc/palisade/tls')
const TMP = scratch('tmp', '/tmp')
// It asks the API server whether a caller's token is good.
const TOKEN = apiServerToken()
const DATA = { name: 'data', mountPath: '/data' }

/** A sealed or empty server answers with other codes, so ready means: it serves. */
const health = (periodSeconds: number, failureThreshold: number, query: string) => ({
  httpGet: { scheme: 'HTTPS', port: PORTS.openbao, path: `/v1/sys/health?${query}` },
  periodSeconds,
  failureThreshold,
  timeoutSeconds: 3,
})

/**
 * Puts the name of the pod into one of the two configurations; see cli/bootstrap/store-node.ts for which. It talks to
 * other nodes before it trusts any, so nothing is in its reach that it does not need: no key, no token, no data to change.
 */
const chooser = ({ controlImage, replicas }: OpenBaoWish) => ({
  name: 'node',
  image: controlImage,
  imagePullPolicy: 'IfNotPresent',
  command: ['node', 'cli/main.ts', 'bootstrap', 'store-node'],
  env: [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'PALISADE_STORE_NODES', value: nodeAddresses(replicas).join(' ') },
    { name: 'PALISADE_TLS_DIR', value: TLS.mount.mountPath },
  ],
  securityContext: restrictedContainer(),
  resources: resources('20m', '96Mi', '256Mi'),
  volumeMounts: [
    ...mountsOf([CONFIG, CHOSEN, TMP]),
    { ...TLS.mount, mountPath: `${TLS.mount.mountPath}/ca.crt`, subPath: 'ca.crt' },
    { ...DATA, readOnly: true },
  ],
})

/** Nodes that must not be lost together: never two on one machine, and evenly over zones where there are any. */
const apart = () => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: 'kubernetes.io/hostname',
          labelSelector: { matchLabels: selectorOf('openbao') },
        },
      ],
    },
  },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selectorOf('openbao') },
    },
  ],
})

export const openbaoStatefulSet = (wish: OpenBaoWish) => {
  const several = wish.replicas > 1
  const config = several ? CHOSEN : CONFIG
  const files = [config, TLS, TOKEN, ...sealFiles(wish), TMP]
  return {
    serviceName: several ? NODES_SERVICE : 'openbao',
    replicas: wish.replicas,
    // All at once: the first node asks the others before it makes a store.
    ...(several ? { podManagementPolicy: 'Parallel' } : {}),
    selector: { matchLabels: selectorOf('openbao') },
    // A restart seals and unseals; it happens when an operator deletes the pod, never as a side effect.
    updateStrategy: { type: 'OnDelete' },
    template: {
      metadata: { labels: { ...labelsOf('openbao'), ...cloudIdentity(wish).podLabels } },
      spec: {
        serviceAccountName: 'openbao',
        // The server alone gets a token, by a volume of its own.
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: restrictedPod(),
        terminationGracePeriodSeconds: 30,
        ...(several ? { ...apart(), initContainers: [chooser(wish)] } : {}),
        containers: [
          {
            name: 'openbao',
            image: wish.image,
            imagePullPolicy: 'IfNotPresent',
            command: ['bao', 'server', `-config=${config.mount.mountPath}/config.json`],
            env: [
              { name: 'HOME', value: '/tmp' },
              { name: 'SKIP_CHOWN', value: 'true' },
              ...sealEnvironment(wish),
            ],
            ports: [
              { name: 'api', containerPort: PORTS.openbao },
              { name: 'cluster', containerPort: PORTS.openbaoCluster },
            ],
            securityContext: restrictedContainer(),
            resources: resources('50m', '128Mi', '512Mi'),
            // The first start makes stores, policies and roles before it answers; others wait until they may join.
            startupProbe: health(2, several ? 150 : 60, 'standbyok=true'),
            readinessProbe: health(3, 2, 'standbyok=true'),
            livenessProbe: health(10, 6, 'standbyok=true&sealedcode=200&uninitcode=200'),
            volumeMounts: [...mountsOf(files), DATA],
          },
        ],
        volumes: volumesOf(several ? [CONFIG, ...files] : files),
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          ...(wish.storageClass === undefined ? {} : { storageClassName: wish.storageClass }),
          resources: { requests: { storage: wish.storage } },
        },
      },
    ],
  }
}
