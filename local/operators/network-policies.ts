import type { Manifest } from '../cluster/manifest.ts'

interface Peer {
  readonly namespaceSelector?: object
  readonly podSelector?: object
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

const ports = (...numbers: number[]) => numbers.map((port) => ({ protocol: 'TCP', port }))

/** The API server and the kubelet reach pods from nodes' addresses, of which only this is known. */
const outsidePods = (podCidr: string): Peer => ({
  ipBlock: { cidr: '0.0.0.0/0', except: [podCidr] },
})

const policy = (namespace: string, name: string, podSelector: object, spec: object): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec: { podSelector, ...spec },
})

const defaultDeny = (namespace: string): Manifest =>
  policy(namespace, 'default-deny', {}, { policyTypes: ['Ingress', 'Egress'] })

const dns = (namespace: string): Manifest =>
  policy(
    namespace,
    'dns',
    {},
    {
      policyTypes: ['Egress'],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
              podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
            },
          ],
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
      ],
    },
  )

/** Policies judge the address behind the Service: the API server's own, on 6443 (or 443 elsewhere). */
const apiServer = (namespace: string, podCidr: string): Manifest =>
  policy(
    namespace,
    'api-server',
    {},
    {
      policyTypes: ['Egress'],
      egress: [{ to: [outsidePods(podCidr)], ports: ports(443, 6443) }],
    },
  )

const webhook = (namespace: string, podCidr: string, selector: object, ...numbers: number[]) =>
  policy(namespace, 'webhook', selector, {
    policyTypes: ['Ingress'],
    ingress: [{ from: [outsidePods(podCidr)], ports: ports(...numbers) }],
  })

const metrics = (namespace: string, port: number): Manifest =>
  policy(
    namespace,
    'metrics',
    {},
    {
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            {
              namespaceSelector: {
                matchLabels: { 'kubernetes.io/metadata.name': 'palisade-monitoring' },
              },
            },
          ],
          ports: ports(port),
        },
      ],
    },
  )

/** CloudNativePG asks its instances for their status and hands them their certificates. */
const instances = (namespace: string): Manifest =>
  policy(
    namespace,
    'postgres-instances',
    {},
    {
      policyTypes: ['Egress'],
      egress: [
        {
          to: [
            {
              namespaceSelector: {},
              podSelector: { matchExpressions: [{ key: 'cnpg.io/cluster', operator: 'Exists' }] },
            },
          ],
          ports: ports(8000, 5432),
        },
      ],
    },
  )

const common = (namespace: string, podCidr: string): readonly Manifest[] => [
  defaultDeny(namespace),
  dns(namespace),
  apiServer(namespace, podCidr),
]

/** Everything denied in both directions but what each operator is for. */
export const networkPolicies = (podCidr: string): readonly Manifest[] => [
  ...common('cert-manager', podCidr),
  webhook('cert-manager', podCidr, { matchLabels: { app: 'webhook' } }, 10250, 6080),
  metrics('cert-manager', 9402),
  ...common('cnpg-system', podCidr),
  webhook('cnpg-system', podCidr, {}, 9443),
  instances('cnpg-system'),
  ...common('prometheus-operator', podCidr),
]
