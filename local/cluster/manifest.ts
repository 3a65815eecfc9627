import { describeKey, type ObjectKey } from '../provider/kubernetes/object.ts'

/** A Kubernetes object as it stands in a manifest. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export const keyOf = ({ apiVersion, kind, metadata }: Manifest): ObjectKey => ({
  apiVersion,
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
})

/** `Deployment cert-manager/cert-manager-webhook`, for messages and for looking things up. */
export const nameOf = (manifest: Manifest): string => describeKey(keyOf(manifest))
