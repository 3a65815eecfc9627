export const GROUP = 'palisade.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}` as const

/** The part of metav1.ObjectMeta that we read; times arrive as RFC 3339 text. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly generation?: number
  readonly resourceVersion?: string
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
}

/** A resource as the API server gives it back: defaults are filled in. */
export interface CustomResource<Kind extends string, Spec, Status> {
  readonly apiVersion: typeof API_VERSION
  readonly kind: Kind
  readonly metadata: ObjectMeta
  readonly spec: Spec
  readonly status?: Status
}

/** A resource as a person writes it: whatever has a default may be left out. */
export interface Manifest<Resource extends { kind: string; metadata: ObjectMeta; spec: unknown }> {
  readonly apiVersion: typeof API_VERSION
  readonly kind: Resource['kind']
  readonly metadata: ObjectMeta
  readonly spec: DeepPartial<Resource['spec']>
}

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T
