import type { ICertificate } from '@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate'
import { ISSUER } from '../names.ts'

type CertificateSpec = NonNullable<ICertificate['spec']>

export interface CertificateWish {
  readonly secretName: string
  readonly commonName: string
  readonly dnsNames?: readonly string[]
  readonly usages: readonly ('server auth' | 'client auth')[]
  readonly labels?: Readonly<Record<string, string>>
  /** True where the program reads its certificate only when it starts, so somebody must restart it. */
  readonly readOnce?: boolean
}

const KEY = { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always', encoding: 'PKCS8' } as const

/** Renewed at two thirds of 30 days: ten days remain to notice a renewal that fails. */
const SHORT = { duration: '720h0m0s', renewBefore: '240h0m0s' } as const
/** For programs that must be restarted to take a new one over: once a year, with a third of it to choose from. */
const LONG = { duration: '8760h0m0s', renewBefore: '2920h0m0s' } as const

export const certificateSpec = (wish: CertificateWish): CertificateSpec => ({
  secretName: wish.secretName,
  commonName: wish.commonName,
  ...(wish.dnsNames === undefined ? {} : { dnsNames: [...wish.dnsNames] }),
  ...(wish.readOnce === true ? LONG : SHORT),
  privateKey: KEY,
  usages: ['digital signature', ...wish.usages],
  issuerRef: { name: ISSUER, kind: 'ClusterIssuer', group: 'cert-manager.io' },
  ...(wish.labels === undefined ? {} : { secretTemplate: { labels: { ...wish.labels } } }),
})

/** Ten years, and never renewed on the quiet: replacing the root means handing out a new bundle first. */
export const authorityCertificate = (): CertificateSpec => ({
  isCA: true,
  commonName: 'Palisade private CA',
  secretName: ISSUER,
  duration: '87600h0m0s',
  privateKey: { algorithm: 'ECDSA', size: 384, rotationPolicy: 'Never' },
  issuerRef: { name: `${ISSUER}-root`, kind: 'ClusterIssuer', group: 'cert-manager.io' },
})

/** The names under which pods reach a Service, longest last. */
export const serviceNames = (service: string, namespace: string): readonly string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}`,
  `${service}.${namespace}.svc.cluster.local`,
]
