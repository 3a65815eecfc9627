import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { NAMESPACES } from '../names.ts'
import {
  BACKEND,
  PLATFORM_ROTATIONS,
  platformBackend,
  rotationSpec,
} from '../workload/rotations.ts'

const API = 'palisade.dev/v1alpha1'
const ANNOTATIONS = { 'pulumi.com/waitFor': 'condition=Ready' }

/** The first pass of these makes the credentials of gateway and sealer; later ones replace them. */
export class PlatformRotations extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: { readonly postgres: StackConfig['postgres'] },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('palisade:platform:PlatformRotations', name, {}, opts)
    const backend = new k8s.apiextensions.CustomResource(
      BACKEND,
      {
        apiVersion: API,
        kind: 'RotationBackend',
        metadata: { name: BACKEND },
        spec: platformBackend(args.postgres),
      },
      { parent: this },
    )
    for (const rotation of PLATFORM_ROTATIONS) {
      new k8s.apiextensions.CustomResource(
        rotation.name,
        {
          apiVersion: API,
          kind: 'SecretRotation',
          metadata: {
            name: rotation.name,
            namespace: NAMESPACES.system,
            annotations: ANNOTATIONS,
          },
          spec: rotationSpec(rotation),
        },
        { parent: this, dependsOn: [backend] },
      )
    }
    this.registerOutputs({})
  }
}
