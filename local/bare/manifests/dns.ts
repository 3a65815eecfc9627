import { NODE } from '../layout.ts'
import { clusterRole, clusterRoleBinding, type Manifest } from './manifest.ts'

/**
 * No forward: the cluster has no way out, and a name it does not know should fail at once. What the cluster itself
 * knows is not cached, as with kubeadm: whoever asked for a Service a moment too early would hide it from all pods
 * for half a minute.
 */
const COREFILE = `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    reload
    loadbalance
}
`

const labels = { 'k8s-app': 'kube-dns' }
const named = { name: 'coredns', namespace: 'kube-system' }

/** Names and labels as every Kubernetes has them, so that network policies are the same everywhere. */
export const dnsManifests = (image: string): Manifest[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named },
  clusterRole('system:coredns', [
    {
      apiGroups: [''],
      resources: ['endpoints', 'services', 'pods', 'namespaces'],
      verbs: ['list', 'watch'],
    },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ]),
  clusterRoleBinding('system:coredns', 'system:coredns', [{ kind: 'ServiceAccount', ...named }]),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: named, data: { Corefile: COREFILE } },
  deployment(image),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
    spec: {
      clusterIP: NODE.dnsService,
      selector: labels,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      ],
    },
  },
]

const deployment = (image: string): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...named, labels },
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: 'coredns',
        priorityClassName: 'system-cluster-critical',
        dnsPolicy: 'Default',
        containers: [container(image)],
        volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
      },
    },
  },
})

const container = (image: string): unknown => ({
  name: 'coredns',
  image,
  imagePullPolicy: 'Never',
  args: ['-conf', '/etc/coredns/Corefile'],
  ports: [
    { containerPort: 53, name: 'dns', protocol: 'UDP' },
    { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
  ],
  volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
  readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 2 },
  livenessProbe: { httpGet: { path: '/health', port: 8080 }, failureThreshold: 5 },
  resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '170Mi' } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: 65535,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
})
