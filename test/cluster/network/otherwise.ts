/** What listens without TLS from the first byte, each with the reason. */
type Reasons = Readonly<Record<string, string>>

/** Asked by the kubelet, which reaches them at the Pod's own address: they say whether, and nothing else. */
export const PROBES_OF_KUBELET = [
  'palisade-edge/edge:8081',
  'palisade-system/operator:8081',
  'cert-manager/webhook:6080',
  'kube-system/kube-dns:8080',
  'kube-system/kube-dns:8181',
] as const

/** Within one network, that of the node, which only root enters, or that of a Pod. */
export const ON_LOOPBACK: Reasons = {
  'node/kube-proxy:10249': 'metrics, which it has no TLS for and no way to leave out',
  'node/kube-proxy:10256': 'its health, likewise',
  'node/kube-network-po:9080': 'metrics, likewise',
  'node/containerd:10010':
    'what the kubelet sends of kubectl exec, at a path that is drawn for each; the kubelet would trust no authority of ours there',
  'prometheus-operator/prometheus-operator:8080': 'metrics that nobody scrapes',
  'palisade-data/palisade-db:8010': 'what CloudNativePG tells itself',
}

export const TO_OTHERS: Reasons = {
  'palisade-edge/edge:8080':
    'redirects to TLS and does nothing else: test/cluster/edge.cluster.test.ts',
  'palisade-edge/edge:8443':
    'TLS behind the line of the PROXY protocol: test/cluster/edge.cluster.test.ts',
  'palisade-data/palisade-db:5432': 'TLS on request, as the protocol has it, and nothing without',
  'kube-system/kube-dns:53': 'DNS, as every resolver speaks it',
  'kube-system/kube-dns:53/udp': 'DNS, as every resolver speaks it',
  'cert-manager/cert-manager:9402':
    'names and dates of certificates, which this version cannot tell by TLS; a policy lets Prometheus in alone',
}

export const OTHERWISE: ReadonlySet<string> = new Set([
  ...PROBES_OF_KUBELET,
  ...Object.keys(ON_LOOPBACK),
  ...Object.keys(TO_OTHERS),
])
