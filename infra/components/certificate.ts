import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import { type CertificateWish, certificateSpec } from '../workload/certificate.ts'

export interface CertificateArgs extends CertificateWish {
  readonly namespace: string
}

/** A certificate of the private CA in a Secret; ready when the Secret can be mounted. */
export class Certificate extends pulumi.ComponentResource {
  readonly secretName: string

  constructor(name: string, args: CertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Certificate', name, {}, opts)
    const { namespace, ...wish } = args
    new k8s.apiextensions.CustomResource(
      name,
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        metadata: {
          name: args.secretName,
          namespace,
          annotations: { 'pulumi.com/waitFor': 'condition=Ready' },
        },
        spec: certificateSpec(wish),
      },
      { parent: this },
    )
    this.secretName = args.secretName
    this.registerOutputs({ secretName: this.secretName })
  }
}
