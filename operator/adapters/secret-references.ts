/** The parts of a Pod spec that can name a Secret. */
interface SecretNames {
  readonly name?: string
  readonly secretName?: string
}

interface ContainerSpec {
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: SecretNames } }[]
  readonly envFrom?: readonly { readonly secretRef?: SecretNames }[]
}

export interface PodSpec {
  readonly containers?: readonly ContainerSpec[]
  readonly initContainers?: readonly ContainerSpec[]
  readonly ephemeralContainers?: readonly ContainerSpec[]
  readonly volumes?: readonly {
    readonly secret?: SecretNames
    readonly projected?: { readonly sources?: readonly { readonly secret?: SecretNames }[] }
  }[]
}

/** Whether anything in this Pod reads the Secret, by whatever of the five ways. */
export function readsSecret(spec: PodSpec, secret: string): boolean {
  const containers = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ]
  return (
    containers.some((container) => readsInto(container, secret)) ||
    (spec.volumes ?? []).some(
      (volume) =>
        volume.secret?.secretName === secret ||
        (volume.projected?.sources ?? []).some((source) => source.secret?.name === secret),
    )
  )
}

const readsInto = (container: ContainerSpec, secret: string): boolean =>
  (container.env ?? []).some(({ valueFrom }) => valueFrom?.secretKeyRef?.name === secret) ||
  (container.envFrom ?? []).some(({ secretRef }) => secretRef?.name === secret)
