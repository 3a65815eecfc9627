export const STAGES = ['control-plane', 'rest', 'test'] as const
type Stage = (typeof STAGES)[number]

/** A program made from a Go module: pinned by the wrapper module's go.mod and go.sum. */
export interface GoTool {
  /** Folder under local/bare/tools that holds go.mod and go.sum. */
  readonly module: string
  /** Name of the program → package with its main function; `.` is the folder's own main.go. */
  readonly binaries: Readonly<Record<string, string>>
  readonly ldflags: string
  /**
   * `control-plane` is built first, so that the cluster starts while the rest compiles. What a test alone needs is
   * built by `make tools` or by that test, and `make up` does without.
   */
  readonly stage: Stage
}

export const KUBERNETES_VERSION = 'v1.34.4'
export const PULUMI_VERSION = 'v3.250.0'

const SMALL = '-s -w'
const [, minor] = KUBERNETES_VERSION.split('.')
const KUBERNETES_LDFLAGS = [
  SMALL,
  `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`,
  '-X k8s.io/component-base/version.gitMajor=1',
  `-X k8s.io/component-base/version.gitMinor=${minor}`,
].join(' ')

/** In the order in which they are built. */
export const GO_TOOLS: readonly GoTool[] = [
  {
    module: 'etcd',
    binaries: { etcd: 'go.etcd.io/etcd/server/v3' },
    ldflags: SMALL,
    stage: 'control-plane',
  },
  {
    module: 'kubernetes',
    binaries: {
      'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
      kubectl: 'k8s.io/kubernetes/cmd/kubectl',
      'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
      'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
      kubelet: 'k8s.io/kubernetes/cmd/kubelet',
      'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
    },
    ldflags: KUBERNETES_LDFLAGS,
    stage: 'control-plane',
  },
  {
    module: 'coredns',
    binaries: { coredns: '.' },
    ldflags: SMALL,
    stage: 'rest',
  },
  {
    module: 'kube-network-policies',
    binaries: { 'kube-network-policies': 'sigs.k8s.io/kube-network-policies/cmd' },
    ldflags: SMALL,
    stage: 'rest',
  },
  {
    module: 'cert-manager',
    binaries: {
      'cert-manager-controller': 'github.com/cert-manager/cert-manager/cmd/controller',
      'cert-manager-webhook': 'github.com/cert-manager/cert-manager/cmd/webhook',
      'cert-manager-cainjector': 'github.com/cert-manager/cert-manager/cmd/cainjector',
    },
    ldflags: SMALL,
    stage: 'rest',
  },
  {
    module: 'cloudnative-pg',
    binaries: { 'cnpg-manager': 'github.com/cloudnative-pg/cloudnative-pg/cmd/manager' },
    ldflags: SMALL,
    stage: 'rest',
  },
  {
    module: 'prometheus-operator',
    binaries: {
      'prometheus-operator': 'github.com/prometheus-operator/prometheus-operator/cmd/operator',
      'prometheus-config-reloader':
        'github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader',
    },
    ldflags: SMALL,
    stage: 'rest',
  },
  {
    module: 'helm',
    binaries: { helm: 'helm.sh/helm/v4/cmd/helm' },
    ldflags: SMALL,
    stage: 'rest',
  },
  {
    module: 'pulumi',
    binaries: { pulumi: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi' },
    ldflags: `${SMALL} -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${PULUMI_VERSION}`,
    stage: 'rest',
  },
  {
    module: 'versitygw',
    binaries: { versitygw: 'github.com/versity/versitygw/cmd/versitygw' },
    ldflags: SMALL,
    stage: 'test',
  },
]
