import { fileURLToPath } from 'node:url'
import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { NAMESPACES, tlsSecret } from '../names.ts'
import { serviceNames } from '../workload/certificate.ts'
import { chartValues, type Stage } from '../workload/chart-values.ts'
import { Certificate } from './certificate.ts'

const CHART = fileURLToPath(new URL('../../charts/palisade', import.meta.url))

export interface ControlPlaneArgs {
  readonly config: StackConfig
  readonly stage: Stage
  readonly publicUrl: string
  /** What must be there before its programs start; certificates are asked for before that. */
  readonly startsAfter: readonly pulumi.Resource[]
}

const PROGRAMS: Readonly<Record<Stage, readonly string[]>> = {
  operator: ['operator'],
  services: ['gateway', 'sealer'],
}

/** The gateway takes a renewed certificate over by itself; these do not yet. */
const READ_ONCE: readonly string[] = ['operator', 'sealer']

/** Our own programs by our own chart, which owns the manifests; this owns order and certificates. */
export class ControlPlane extends pulumi.ComponentResource {
  constructor(name: string, args: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:ControlPlane', name, {}, opts)
    const namespace = NAMESPACES.system
    const certificates = PROGRAMS[args.stage].map(
      (program) =>
        new Certificate(
          tlsSecret(program),
          {
            namespace,
            secretName: tlsSecret(program),
            commonName: program,
            dnsNames: [program, ...serviceNames(program, namespace)],
            usages: ['server auth', 'client auth'],
            readOnce: READ_ONCE.includes(program),
          },
          { parent: this },
        ),
    )
    new k8s.helm.v4.Chart(
      name,
      {
        name: 'palisade',
        chart: CHART,
        namespace,
        skipCrds: args.stage !== 'operator',
        values: chartValues(args.config, args.stage, args.publicUrl),
      },
      { parent: this, dependsOn: [...certificates, ...args.startsAfter] },
    )
    this.registerOutputs({})
  }
}
