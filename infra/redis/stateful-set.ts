import { PORTS, SECRETS, tlsSecret } from '../names.ts'
import { labelsOf, selectorOf } from '../workload/labels.ts'
import { resources, restrictedContainer, restrictedPod } from '../workload/security.ts'
import { configFiles, mountsOf, scratch, secretFiles, volumesOf } from '../workload/volumes.ts'

export interface RedisWish {
  readonly image: string
  readonly storage: string
  readonly storageClass?: string
  /** Digest of the configuration: a change restarts the server. */
  readonly configDigest: string
}

const CONFIG = configFiles('config', 'redis', '/etc/redis')
const ACL = secretFiles('acl', SECRETS.redisAcl, '/etc/palisade/acl')
const TLS = secretFiles('tls', tlsSecret('redis'), '/etc/palisade/tls')
const TMP = scratch('tmp', '/tmp')
const DATA = { name: 'data', mountPath: '/data' }

const probe = (periodSeconds: number, failureThreshold: number) => ({
  tcpSocket: { port: PORTS.redis },
  periodSeconds,
  failureThreshold,
})

export const redisStatefulSet = (wish: RedisWish) => ({
  serviceName: 'palisade-redis',
  replicas: 1,
  selector: { matchLabels: selectorOf('redis') },
  template: {
    metadata: {
      labels: labelsOf('redis'),
      annotations: { 'palisade.dev/config': wish.configDigest },
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: restrictedPod(),
      terminationGracePeriodSeconds: 30,
      initContainers: [
        {
          // The server saves its users beside its data, so the file must be one it can write.
          name: 'users',
          image: wish.image,
          imagePullPolicy: 'IfNotPresent',
          command: ['install', '-m', '600', '/etc/palisade/acl/users.acl', '/data/users.acl'],
          securityContext: restrictedContainer(),
          resources: resources('10m', '16Mi'),
          volumeMounts: [ACL.mount, DATA],
        },
      ],
      containers: [
        {
          name: 'redis',
          image: wish.image,
          imagePullPolicy: 'IfNotPresent',
          command: ['valkey-server', '/etc/redis/redis.conf'],
          ports: [{ name: 'redis', containerPort: PORTS.redis }],
          securityContext: restrictedContainer(),
          resources: resources('30m', '64Mi', '256Mi'),
          readinessProbe: probe(5, 2),
          livenessProbe: probe(10, 6),
          volumeMounts: [...mountsOf([CONFIG, TLS, TMP]), DATA],
        },
      ],
      volumes: volumesOf([CONFIG, ACL, TLS, TMP]),
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
