import { KUBERNETES_VERSION } from '../../tools/table.ts'
import { NODE } from '../layout.ts'
import { PROVISIONER, STORAGE_CLASS } from '../provisioner/volume.ts'
import { dnsManifests } from './dns.ts'
import { clusterRole, clusterRoleBinding, type Manifest } from './manifest.ts'
import { networkPolicyManifests } from './network-policies.ts'

export interface ClusterImages {
  readonly coredns: string
  readonly networkPolicies: string
}

/** What a cluster from another maker would already have in kube-system. */
export const clusterManifests = (images: ClusterImages): Manifest[] => [
  ...kubeletAccess(),
  ...storage(),
  ...proxyAccess(),
  ...networkPolicyManifests(images.networkPolicies),
  ...dnsManifests(images.coredns),
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'palisade-node', namespace: 'kube-system' },
    data: { backend: 'bare', kubernetes: KUBERNETES_VERSION, podCidr: NODE.podCidr },
  },
]

const user = (name: string): unknown[] => [
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name },
]

/** The API server reaches the kubelet for logs and exec; it is no cluster administrator for that. */
const kubeletAccess = (): Manifest[] => [
  clusterRoleBinding(
    'palisade:kubelet-api',
    'system:kubelet-api-admin',
    user('kube-apiserver-kubelet-client'),
  ),
]

const proxyAccess = (): Manifest[] => [
  clusterRoleBinding('palisade:kube-proxy', 'system:node-proxier', user('system:kube-proxy')),
]

const storage = (): Manifest[] => [
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name: STORAGE_CLASS,
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
    provisioner: PROVISIONER,
    // The folder is made where the pod is placed.
    volumeBindingMode: 'WaitForFirstConsumer',
    reclaimPolicy: 'Delete',
  },
  clusterRole('palisade:provisioner', [
    {
      apiGroups: [''],
      resources: ['persistentvolumes'],
      verbs: ['get', 'list', 'watch', 'create', 'delete'],
    },
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['get', 'list', 'watch'] },
  ]),
  clusterRoleBinding('palisade:provisioner', 'palisade:provisioner', user('palisade:provisioner')),
]
