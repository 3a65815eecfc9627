import { PORTS, SECRETS, tlsSecret } from '../names.ts'
import { labelsOf, selectorOf } from '../workload/labels.ts'
import { resources, restrictedContainer, restrictedPod } from '../workload/security.ts'
import { configFiles, mountsOf, scratch, secretFiles, volumesOf } from '../workload/volumes.ts'

export interface OpenBaoWish {
  readonly image: string
  readonly storage: string
  readonly storageClass?: string
}

const CONFIG = configFiles('config', 'openbao', '/etc/openbao')
const TLS = secretFiles('tls', tlsSecret('openbao'), '/etc/palisade/tls')
const SEAL = secretFiles('seal', SECRETS.sealKey, '/etc/palisade/seal')
const TMP = scratch('tmp', '/tmp')

/** A sealed or empty server answers with other codes, so ready means: it serves. */
const health = (periodSeconds: number, failureThreshold: number, query: string) => ({
  httpGet: { scheme: 'HTTPS', port: PORTS.openbao, path: `/v1/sys/health?${query}` },
  periodSeconds,
  failureThreshold,
  timeoutSeconds: 3,
})

export const openbaoStatefulSet = (wish: OpenBaoWish) => ({
  serviceName: 'openbao',
  replicas: 1,
  selector: { matchLabels: selectorOf('openbao') },
  // A restart seals and unseals; it happens when an operator deletes the pod, never as a side effect.
  updateStrategy: { type: 'OnDelete' },
  template: {
    metadata: { labels: labelsOf('openbao') },
    spec: {
      serviceAccountName: 'openbao',
      // It asks the API server whether a caller's token is good.
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      securityContext: restrictedPod(),
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: 'openbao',
          image: wish.image,
          imagePullPolicy: 'IfNotPresent',
          command: ['bao', 'server', '-config=/etc/openbao/config.json'],
          env: [
            { name: 'HOME', value: '/tmp' },
            { name: 'SKIP_CHOWN', value: 'true' },
          ],
          ports: [
            { name: 'api', containerPort: PORTS.openbao },
            { name: 'cluster', containerPort: PORTS.openbaoCluster },
          ],
          securityContext: restrictedContainer(),
          resources: resources('50m', '128Mi', '512Mi'),
          // The first start makes stores, policies and roles before it answers.
          startupProbe: health(2, 60, 'standbyok=true'),
          readinessProbe: health(3, 2, 'standbyok=true'),
          livenessProbe: health(10, 6, 'standbyok=true&sealedcode=200&uninitcode=200'),
          volumeMounts: [
            ...mountsOf([CONFIG, TLS, SEAL, TMP]),
            { name: 'data', mountPath: '/data' },
          ],
        },
      ],
      volumes: volumesOf([CONFIG, TLS, SEAL, TMP]),
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
})
