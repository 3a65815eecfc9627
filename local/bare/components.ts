import { join } from 'node:path'
import { type Layout, NODE } from './layout.ts'
import type { Component } from './spec.ts'

export type ToolPaths = Readonly<
  Record<
    | 'etcd'
    | 'kube-apiserver'
    | 'kube-controller-manager'
    | 'kube-scheduler'
    | 'kubelet'
    | 'kube-proxy',
    string
  >
>

const API = `https://127.0.0.1:${NODE.apiPort}`

/** Objects that the API server makes after its start; the controller-manager exits without them. */
const RBAC_BOOTSTRAP = `${API}/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles/extension-apiserver-authentication-reader`

const flags = (values: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${String(value)}`)

/** In the order in which they start; `needs` holds back what cannot work yet. */
export function componentsOf(layout: Layout, tools: ToolPaths, node: string): Component[] {
  return [
    etcd(layout, tools),
    apiserver(layout, tools),
    controllerManager(layout, tools),
    scheduler(layout, tools),
    {
      name: 'containerd',
      argv: ['containerd', '--config', join(layout.config, 'containerd.toml')],
    },
    {
      name: 'kubelet',
      argv: [
        tools.kubelet,
        ...flags({
          config: join(layout.config, 'kubelet.json'),
          kubeconfig: join(layout.config, 'kubelet.kubeconfig'),
          'node-ip': NODE.address,
          'hostname-override': NODE.name,
        }),
      ],
      needs: ['kube-apiserver', 'containerd'],
      files: [tools.kubelet, '/run/containerd/containerd.sock'],
    },
    {
      name: 'kube-proxy',
      argv: [tools['kube-proxy'], ...flags({ config: join(layout.config, 'kube-proxy.json') })],
      needs: ['kube-apiserver'],
      files: [tools['kube-proxy']],
    },
    {
      name: 'provisioner',
      argv: [
        node,
        join(import.meta.dirname, 'provisioner', 'main.ts'),
        join(layout.config, 'provisioner.kubeconfig'),
        join(layout.data, 'volumes'),
      ],
      needs: ['kube-apiserver'],
    },
  ]
}

function etcd(layout: Layout, tools: ToolPaths): Component {
  const tls = {
    cert: join(layout.pki, 'etcd.crt'),
    key: join(layout.pki, 'etcd.key'),
    ca: join(layout.pki, 'ca-etcd.crt'),
  }
  return {
    name: 'etcd',
    argv: [
      tools.etcd,
      ...flags({
        name: NODE.name,
        'data-dir': join(layout.data, 'etcd'),
        'listen-client-urls': 'https://127.0.0.1:2379',
        'advertise-client-urls': 'https://127.0.0.1:2379',
        'listen-peer-urls': 'https://127.0.0.1:2380',
        'initial-advertise-peer-urls': 'https://127.0.0.1:2380',
        'initial-cluster': `${NODE.name}=https://127.0.0.1:2380`,
        'client-cert-auth': true,
        'cert-file': tls.cert,
        'key-file': tls.key,
        'trusted-ca-file': tls.ca,
        'peer-client-cert-auth': true,
        'peer-cert-file': tls.cert,
        'peer-key-file': tls.key,
        'peer-trusted-ca-file': tls.ca,
        'log-level': 'warn',
      }),
    ],
    files: [tools.etcd],
  }
}

function apiserver(layout: Layout, tools: ToolPaths): Component {
  const pki = (file: string): string => join(layout.pki, file)
  return {
    name: 'kube-apiserver',
    argv: [
      tools['kube-apiserver'],
      ...flags({
        'advertise-address': NODE.address,
        'secure-port': NODE.apiPort,
        'anonymous-auth': false,
        'authorization-mode': 'Node,RBAC',
        'enable-admission-plugins': 'NodeRestriction',
        'admission-control-config-file': join(layout.config, 'admission.json'),
        'encryption-provider-config': join(layout.config, 'encryption.json'),
        'audit-policy-file': join(layout.config, 'audit-policy.json'),
        'audit-log-path': join(layout.logs, 'kube-apiserver-audit.log'),
        'audit-log-maxsize': 50,
        'audit-log-maxbackup': 3,
        'client-ca-file': pki('ca-cluster.crt'),
        'tls-cert-file': pki('apiserver.crt'),
        'tls-private-key-file': pki('apiserver.key'),
        'tls-min-version': 'VersionTLS12',
        'etcd-servers': 'https://127.0.0.1:2379',
        'etcd-cafile': pki('ca-etcd.crt'),
        'etcd-certfile': pki('apiserver-etcd-client.crt'),
        'etcd-keyfile': pki('apiserver-etcd-client.key'),
        'kubelet-certificate-authority': pki('ca-cluster.crt'),
        'kubelet-client-certificate': pki('apiserver-kubelet-client.crt'),
        'kubelet-client-key': pki('apiserver-kubelet-client.key'),
        'kubelet-preferred-address-types': 'InternalIP',
        'requestheader-client-ca-file': pki('ca-front-proxy.crt'),
        'requestheader-allowed-names': 'front-proxy-client',
        'requestheader-username-headers': 'X-Remote-User',
        'requestheader-group-headers': 'X-Remote-Group',
        'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
        'proxy-client-cert-file': pki('front-proxy-client.crt'),
        'proxy-client-key-file': pki('front-proxy-client.key'),
        'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
        'service-account-key-file': pki('service-account.pub'),
        'service-account-signing-key-file': pki('service-account.key'),
        'service-cluster-ip-range': NODE.serviceCidr,
        profiling: false,
      }),
    ],
    needs: ['etcd'],
    files: [tools['kube-apiserver']],
    ready: [`${API}/readyz`, RBAC_BOOTSTRAP],
  }
}

function controllerManager(layout: Layout, tools: ToolPaths): Component {
  const own = join(layout.config, 'controller-manager.kubeconfig')
  const pki = (file: string): string => join(layout.pki, file)
  return {
    name: 'kube-controller-manager',
    argv: [
      tools['kube-controller-manager'],
      ...flags({
        kubeconfig: own,
        'authentication-kubeconfig': own,
        'authorization-kubeconfig': own,
        'bind-address': '127.0.0.1',
        'tls-cert-file': pki('controller-manager-server.crt'),
        'tls-private-key-file': pki('controller-manager-server.key'),
        'use-service-account-credentials': true,
        'service-account-private-key-file': pki('service-account.key'),
        'root-ca-file': pki('ca-cluster.crt'),
        'cluster-signing-cert-file': pki('ca-cluster.crt'),
        'cluster-signing-key-file': pki('ca-cluster.key'),
        'allocate-node-cidrs': true,
        'cluster-cidr': NODE.podCidr,
        'service-cluster-ip-range': NODE.serviceCidr,
        'leader-elect': false,
        // Of one node nothing else is asked; at 20 a second the end of a namespace would wait for its turn.
        'kube-api-qps': 200,
        'kube-api-burst': 400,
        profiling: false,
      }),
    ],
    needs: ['kube-apiserver'],
    files: [tools['kube-controller-manager']],
  }
}

function scheduler(layout: Layout, tools: ToolPaths): Component {
  const own = join(layout.config, 'scheduler.kubeconfig')
  return {
    name: 'kube-scheduler',
    argv: [
      tools['kube-scheduler'],
      ...flags({
        kubeconfig: own,
        'authentication-kubeconfig': own,
        'authorization-kubeconfig': own,
        'bind-address': '127.0.0.1',
        'tls-cert-file': join(layout.pki, 'scheduler-server.crt'),
        'tls-private-key-file': join(layout.pki, 'scheduler-server.key'),
        'leader-elect': false,
        profiling: false,
      }),
    ],
    needs: ['kube-apiserver'],
    files: [tools['kube-scheduler']],
  }
}
