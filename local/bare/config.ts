import { join } from 'node:path'
import { CGROUP, type Layout, NODE } from './layout.ts'

/** A client certificate as a kubeconfig; kubectl reads JSON as well as YAML. */
export function kubeconfig(layout: Layout, user: string, server: string): string {
  const pki = (file: string): string => join(layout.pki, file)
  return json({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'palisade', cluster: { server, 'certificate-authority': pki('ca-cluster.crt') } },
    ],
    users: [
      {
        name: user,
        user: { 'client-certificate': pki(`${user}.crt`), 'client-key': pki(`${user}.key`) },
      },
    ],
    contexts: [{ name: 'palisade', context: { cluster: 'palisade', user } }],
    'current-context': 'palisade',
  })
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Secrets and ConfigMaps are encrypted in etcd; the key lies in the state folder, readable by root alone. */
export const encryptionConfig = (key: string): string =>
  json({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['secrets', 'configmaps'],
        providers: [{ secretbox: { keys: [{ name: 'local', secret: key }] } }, { identity: {} }],
      },
    ],
  })

const WAYS_IN = [
  ...['pods/exec', 'pods/attach', 'pods/portforward'],
  ...['pods/proxy', 'services/proxy', 'nodes/proxy'],
]

/** Who did what, never the content: a request body of a Secret would be a copy of the secret. */
export const auditPolicy = (): string =>
  json({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/metrics'] },
      { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
      {
        level: 'Metadata',
        resources: [
          { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
          { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
        ],
      },
      // A way into a pod is no look at it; kubectl opens it as a WebSocket, whose verb is `get`.
      { level: 'Metadata', resources: [{ group: '', resources: WAYS_IN }] },
      { level: 'None', verbs: ['get', 'list', 'watch'] },
      { level: 'Metadata' },
    ],
  })

/** What a namespace without labels gets; ours carry `restricted`. */
export const admissionConfig = (): string =>
  json({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [
      {
        name: 'PodSecurity',
        configuration: {
          apiVersion: 'pod-security.admission.config.k8s.io/v1',
          kind: 'PodSecurityConfiguration',
          defaults: { enforce: 'baseline', 'enforce-version': 'latest', warn: 'restricted' },
          exemptions: { namespaces: ['kube-system'] },
        },
      },
    ],
  })

export const kubeletConfig = (layout: Layout): string =>
  json({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(layout.pki, 'ca-cluster.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(layout.pki, 'kubelet.crt'),
    tlsPrivateKeyFile: join(layout.pki, 'kubelet.key'),
    address: NODE.address,
    readOnlyPort: 0,
    healthzPort: 0, // it knows no TLS, and nobody asks there
    clusterDNS: [NODE.dnsService],
    clusterDomain: 'cluster.local',
    resolvConf: '',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${CGROUP}`,
    failCgroupV1: false,
    failSwapOn: false,
    // An image that is removed cannot be pulled again: there is no registry.
    imageGCHighThresholdPercent: 100,
    imageMaximumGCAge: '0s',
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
    },
    // Five minutes of back-off would make every crash test a coffee break.
    featureGates: { KubeletCrashLoopBackOffMax: true },
    crashLoopBackOff: { maxContainerRestartPeriod: '15s' },
    shutdownGracePeriod: '0s',
  })

export const kubeProxyConfig = (layout: Layout): string =>
  json({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: join(layout.config, 'kube-proxy.kubeconfig') },
    hostnameOverride: NODE.name,
    clusterCIDR: NODE.podCidr,
    mode: 'iptables',
    bindAddress: NODE.address,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    iptables: { localhostNodePorts: false },
    // These limits belong to the whole machine, not to this network namespace: leave them alone.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  })

export const cniConfig = (): string =>
  json({
    cniVersion: '1.0.0',
    name: 'palisade',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          // On the tmpfs of this boot: no lease outlives the pods that held it.
          dataDir: '/run/cni/ipam',
          ranges: [[{ subnet: NODE.nodePodCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  })

export const containerdConfig = (layout: Layout, pauseImage: string): string => `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Without CAP_SYS_RESOURCE no process may lower its own score, and every sandbox would fail.
  restrict_oom_score_adj = true
  disable_apparmor = true
  # Of what kubectl exec sends. A number that can be named: the tests hold every port against a table.
  stream_server_address = "127.0.0.1"
  stream_server_port = "10010"
  # As newer containerd and other makers' clusters have it: port 53 needs no right of its own in a pod.
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(layout.config, 'cni')}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`
