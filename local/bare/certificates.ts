import { NODE } from './layout.ts'

export type Authority = 'cluster' | 'etcd' | 'front-proxy'

export interface CertificateSpec {
  readonly name: string
  readonly authority: Authority
  readonly commonName: string
  readonly organization?: string
  /** Subject alternative names as openssl writes them: `DNS:…`, `IP:…`. Empty for a client. */
  readonly names: readonly string[]
  readonly usages: readonly ('serverAuth' | 'clientAuth')[]
}

const client = (
  name: string,
  commonName: string,
  organization?: string,
  authority: Authority = 'cluster',
): CertificateSpec => ({
  name,
  authority,
  commonName,
  ...(organization === undefined ? {} : { organization }),
  names: [],
  usages: ['clientAuth'],
})

const LOOPBACK = ['DNS:localhost', 'IP:127.0.0.1']

/** Every certificate of the node. The common name is the identity that RBAC and the Node authoriser see. */
export const CERTIFICATES: readonly CertificateSpec[] = [
  {
    name: 'etcd',
    authority: 'etcd',
    commonName: 'etcd',
    names: LOOPBACK,
    usages: ['serverAuth', 'clientAuth'], // peers are clients of one another
  },
  client('apiserver-etcd-client', 'kube-apiserver', undefined, 'etcd'),
  {
    name: 'apiserver',
    authority: 'cluster',
    commonName: 'kube-apiserver',
    names: [
      ...LOOPBACK,
      'DNS:kubernetes',
      'DNS:kubernetes.default',
      'DNS:kubernetes.default.svc',
      'DNS:kubernetes.default.svc.cluster.local',
      `IP:${NODE.apiService}`,
      `IP:${NODE.address}`,
    ],
    usages: ['serverAuth'],
  },
  client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'palisade:kubelet-api'),
  client('front-proxy-client', 'front-proxy-client', undefined, 'front-proxy'),
  client('controller-manager', 'system:kube-controller-manager'),
  client('scheduler', 'system:kube-scheduler'),
  client('kube-proxy', 'system:kube-proxy'),
  client('provisioner', 'palisade:provisioner'),
  client('admin', 'palisade-admin', 'system:masters'),
  client('kubelet-client', `system:node:${NODE.name}`, 'system:nodes'),
  {
    name: 'kubelet',
    authority: 'cluster',
    commonName: `system:node:${NODE.name}`,
    organization: 'system:nodes',
    names: [`DNS:${NODE.name}`, `IP:${NODE.address}`, 'IP:127.0.0.1'],
    usages: ['serverAuth'],
  },
  ...['controller-manager', 'scheduler'].map((name): CertificateSpec => ({
    name: `${name}-server`,
    authority: 'cluster',
    commonName: name,
    names: LOOPBACK,
    usages: ['serverAuth'],
  })),
]

const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000

/** A certificate that is about to end, or that names other hosts than it should, is made anew. */
export function isCurrent(
  spec: CertificateSpec,
  made: { validTo: string; subjectAltName: string | undefined },
  now: Date,
): boolean {
  const names = new Set(
    (made.subjectAltName ?? '')
      .split(', ')
      .filter(Boolean)
      .map((name) => name.replace('IP Address:', 'IP:')),
  )
  const sameNames = names.size === spec.names.length && spec.names.every((name) => names.has(name))
  return sameNames && Date.parse(made.validTo) - now.getTime() > RENEW_BEFORE_MS
}

/** Arguments of one `openssl req` that makes key and certificate. */
export function opensslArgs(spec: CertificateSpec, dir: string): string[] {
  const organization = spec.organization ? `/O=${spec.organization}` : ''
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=${spec.usages.join(',')}`,
    ...(spec.names.length > 0 ? [`subjectAltName=${spec.names.join(',')}`] : []),
  ]
  return [
    ...[
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-sha256',
    ],
    ...['-days', '365', '-subj', `${organization}/CN=${spec.commonName}`],
    ...['-CA', `${dir}/ca-${spec.authority}.crt`, '-CAkey', `${dir}/ca-${spec.authority}.key`],
    ...['-keyout', `${dir}/${spec.name}.key`, '-out', `${dir}/${spec.name}.crt`],
    ...extensions.flatMap((extension) => ['-addext', extension]),
  ]
}
