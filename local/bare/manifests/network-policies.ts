import { NODE } from '../layout.ts'
import { clusterRole, clusterRoleBinding, type Manifest } from './manifest.ts'

const named = { name: 'kube-network-policies', namespace: 'kube-system' }
const labels = { app: 'kube-network-policies' }

/** Decides on the packets that the node's own rules queue; see prepare.ts. */
export const networkPolicyManifests = (image: string): Manifest[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named },
  clusterRole('kube-network-policies', [
    {
      apiGroups: [''],
      resources: ['pods', 'namespaces', 'nodes'],
      verbs: ['list', 'watch', 'get'],
    },
    {
      apiGroups: ['networking.k8s.io'],
      resources: ['networkpolicies'],
      verbs: ['list', 'watch'],
    },
  ]),
  clusterRoleBinding('kube-network-policies', 'kube-network-policies', [
    { kind: 'ServiceAccount', ...named },
  ]),
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { ...named, labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod(image) },
    },
  },
]

const pod = (image: string): unknown => ({
  hostNetwork: true,
  dnsPolicy: 'Default',
  serviceAccountName: named.name,
  priorityClassName: 'system-node-critical',
  tolerations: [{ operator: 'Exists' }],
  containers: [
    {
      name: 'kube-network-policies',
      image,
      imagePullPolicy: 'Never',
      args: [
        `--hostname-override=${NODE.name}`,
        `--nfqueue-id=${NODE.queue}`,
        '--disable-nri',
        '--netfilter-bug-1766-fix=false',
        '--metrics-bind-address=127.0.0.1:9080',
      ],
      resources: { requests: { cpu: '20m', memory: '50Mi' } },
      securityContext: {
        runAsUser: 0,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    },
  ],
})
