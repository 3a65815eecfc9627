import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import { authorityCertificate } from '../workload/certificate.ts'
import { ISSUER, OPERATOR_NAMESPACES } from '../names.ts'

const API = 'cert-manager.io/v1'

/** The private root and the issuer that signs for the platform. The key stays in the cluster. */
export class CertificateAuthority extends pulumi.ComponentResource {
  readonly issuer: string

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:CertificateAuthority', name, {}, opts)
    const root = new k8s.apiextensions.CustomResource(
      `${name}-root`,
      {
        apiVersion: API,
        kind: 'ClusterIssuer',
        metadata: { name: `${ISSUER}-root` },
        spec: { selfSigned: {} },
      },
      { parent: this },
    )
    const certificate = new k8s.apiextensions.CustomResource(
      name,
      {
        apiVersion: API,
        kind: 'Certificate',
        metadata: {
          name: ISSUER,
          namespace: OPERATOR_NAMESPACES.certManager,
          annotations: { 'pulumi.com/waitFor': 'condition=Ready' },
        },
        spec: authorityCertificate(),
      },
      { parent: this, dependsOn: [root] },
    )
    new k8s.apiextensions.CustomResource(
      ISSUER,
      {
        apiVersion: API,
        kind: 'ClusterIssuer',
        metadata: { name: ISSUER, annotations: { 'pulumi.com/waitFor': 'condition=Ready' } },
        spec: { ca: { secretName: ISSUER } },
      },
      { parent: this, dependsOn: [certificate] },
    )
    this.issuer = ISSUER
    this.registerOutputs({ issuer: this.issuer })
  }
}
