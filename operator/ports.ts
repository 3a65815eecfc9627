import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import type { Clock } from '#core/clock'
import type { Sealed } from '#core/sealed'
import type { EventRecorder } from './runtime/events.ts'
import type { Logger, ObjectKey } from './runtime/types.ts'
import type { AuditEntry } from './secret-rotation/audit-outbox.ts'
import type { Refusal } from './secret-rotation/eligibility.ts'
import type { ClaimOwner, StateRecord } from './secret-rotation/state.ts'
import type { Turns } from './secret-rotation/turns.ts'
import type { RotatingDatabase } from './rotating-database.ts'

export type * from './rotating-database.ts'

/** Everything outside that a rotation touches. Expected refusals are answers; anything else is thrown. */

export interface RotationObjects {
  find(key: ObjectKey, signal: AbortSignal): Promise<SecretRotation | undefined>
  writeStatus(
    rotation: SecretRotation,
    status: SecretRotationStatus,
    signal: AbortSignal,
  ): Promise<void>
  hold(rotation: SecretRotation): Promise<void>
  letGo(rotation: SecretRotation): Promise<void>
}

export interface Backends {
  find(name: string, signal: AbortSignal): Promise<RotationBackend | undefined>
  /** Undefined when the namespace is gone. */
  namespaceLabels(
    namespace: string,
    signal: AbortSignal,
  ): Promise<{ labels: Readonly<Record<string, string>>; terminatingSince?: string } | undefined>
}

export interface Versioned<T> {
  readonly value: T
  /** What a compare-and-set has to name to replace it. */
  readonly cas: number
}

/** `stale`: somebody wrote in between, so what was decided rests on an old reading. */
export type WriteOutcome =
  { readonly kind: 'written'; readonly cas: number } | { readonly kind: 'stale' }

/** Clusters share a store; without its name, the record is one of this cluster. */
export type RecordKey = ObjectKey & { readonly cluster?: string }

export interface StateStore {
  /** Every record there is, tombstones included. */
  list(signal: AbortSignal): Promise<readonly ObjectKey[]>
  read(key: RecordKey, signal: AbortSignal): Promise<Versioned<StateRecord> | undefined>
  write(
    key: RecordKey,
    record: StateRecord,
    cas: number,
    signal: AbortSignal,
  ): Promise<WriteOutcome>
}

/** What lies at `apps/<namespace>/<path>`: flat strings, so that any KV v2 reader can use it. */
export interface StoredValue {
  readonly owner: string
  readonly released: boolean
  /** Absent as long as the path is claimed and nothing has been published. */
  readonly issue?: {
    readonly rotationId: string
    readonly seq: number
    readonly version: number
    readonly fields: Sealed<Readonly<Record<string, string>>>
  }
}

export interface ValueStore {
  read(
    namespace: string,
    path: string,
    signal: AbortSignal,
    version?: number,
  ): Promise<Versioned<StoredValue> | undefined>
  write(
    namespace: string,
    path: string,
    value: StoredValue,
    cas: number,
    signal: AbortSignal,
  ): Promise<WriteOutcome>
  destroy(namespace: string, path: string, version: number, signal: AbortSignal): Promise<void>
}

/** A client that holds the value of a disabled user and was turned away with it. */
export interface RefusedClient {
  readonly address: string
  readonly count: number
  readonly lastAt: string
}

export type RefusalsSeen =
  | { readonly kind: 'seen'; readonly clients: readonly RefusedClient[] }
  | {
      readonly kind: 'unseen'
      readonly reason: 'ServerLogsNotGiven' | 'ServerLogsUnreadable'
      readonly message: string
    }

export interface RefusedLogins {
  /** Of one role since a moment. That nothing can be seen is an answer, never an error. */
  of(
    backend: RotationBackend,
    role: string,
    since: Date,
    signal: AbortSignal,
  ): Promise<RefusalsSeen>
}

export interface SecretToApply {
  readonly namespace: string
  readonly name: string
  readonly rotation: string
  readonly seq: number
  readonly version: number
  readonly type: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly fields: Sealed<Readonly<Record<string, string>>>
}

export type SecretOutcome =
  /** The API server's clock at the write that this content goes back to. */
  | { readonly kind: 'applied'; readonly at: string }
  /** By our own admission policy: what is there carries a newer number. */
  | { readonly kind: 'stale'; readonly message: string }
  /** By our own admission policy: it is another's. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It is no Secret that Kubernetes takes. */
  | { readonly kind: 'invalid'; readonly message: string }

export interface Secrets {
  apply(secret: SecretToApply, signal: AbortSignal): Promise<SecretOutcome>
}

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet'

export interface ConsumerPod {
  readonly name: string
  readonly address?: string
  readonly version: string | undefined
  readonly createdAt: string
  readonly readySince: string | undefined
  readonly notReadySince: string | undefined
  /** The version that the process itself reports to use. */
  readonly acknowledged: string | undefined
  readonly terminating: boolean
  /** Set when a container cannot start or keeps failing. */
  readonly trouble: string | undefined
}

export interface Consumer {
  /** `Pod` for what no workload of ours to restart owns: a Job's pod, a bare one. */
  readonly kind: WorkloadKind | 'Pod'
  readonly name: string
  readonly resourceVersion: string | undefined
  readonly minReadySeconds: number
  /** What the template asks for; pods made from now on carry it. */
  readonly templateVersion: string | undefined
  readonly annotations: Readonly<Record<string, string>>
  readonly pods: readonly ConsumerPod[]
}

export interface WorkloadPatch {
  readonly kind: WorkloadKind
  readonly namespace: string
  readonly name: string
  readonly resourceVersion: string
  readonly annotations: Readonly<Record<string, string | null>>
  readonly templateAnnotations: Readonly<Record<string, string>>
}

export interface ConsumerSearch {
  readonly namespace: string
  readonly secret: string
  readonly discover: boolean
  readonly extra: readonly { readonly kind: WorkloadKind; readonly name: string }[]
}

export interface Consumers {
  /** Read live from Pod specs, not from labels and not from a cache. */
  find(search: ConsumerSearch, signal: AbortSignal): Promise<readonly Consumer[]>
  patch(
    patch: WorkloadPatch,
    signal: AbortSignal,
  ): Promise<'patched' | 'stale' | 'gone' | { readonly refused: string }>
}

export interface AuditSink {
  /** Resolves when the gateway has taken the entries; throws otherwise. */
  deliver(owner: ClaimOwner, entries: readonly AuditEntry[], signal: AbortSignal): Promise<void>
  /** The same, and tells what became of the entries instead of throwing. */
  tell(owner: ClaimOwner, entries: readonly AuditEntry[], signal: AbortSignal): Promise<Delivery>
}

/** What became of entries: taken now or before, refused for themselves, and why the rest was not told. */
export interface Delivery {
  readonly taken: readonly AuditEntry[]
  readonly refused: readonly AuditEntry[]
  readonly failure?: unknown
}

/** Tells outboxes beside the passes; a pass offers, and drops from the record what was taken. */
export interface AuditDeliveries {
  /** Newest picture of one outbox. Returns at once. */
  offer(owner: ClaimOwner, outbox: readonly AuditEntry[]): void
  /** Keys of entries that were taken and may leave the record. */
  taken(key: ObjectKey): ReadonlySet<string>
  /** They have left it. */
  dropped(key: ObjectKey): void
  /** Called for a resource some of whose entries were taken. */
  onTaken(wake: (key: ObjectKey) => void): void
}

export interface RotationMetrics {
  issued(key: ObjectKey, at: Date): void
  overdue(key: ObjectKey, seconds: number): void
  stalled(key: ObjectKey, stalled: boolean): void
  /** Since when; undefined when nothing is. */
  undelivered(key: ObjectKey, since: Date | undefined): void
  /** Whether refused logins of a disabled user can be seen. */
  blind(key: ObjectKey, blind: boolean): void
  forget(key: ObjectKey): void
}

/**
 * A named place before or after an outside effect where a test can stop or kill the process.
 * @param of whose effect it is, `<namespace>/<name>`
 */
export type Failpoint = (name: string, of?: string) => Promise<void> | void

export interface Deps {
  readonly cluster: string
  readonly rotations: RotationObjects
  readonly backends: Backends
  readonly states: StateStore
  readonly values: ValueStore
  readonly databaseOf: (backend: RotationBackend) => RotatingDatabase
  readonly refusedLogins: RefusedLogins
  /** The operator's own checks of names and namespaces; the backends refuse without them as well. */
  readonly eligibility: Eligibility
  readonly secrets: Secrets
  readonly consumers: Consumers
  readonly audit: AuditSink | undefined
  readonly deliveries: AuditDeliveries | undefined
  readonly events: EventRecorder
  readonly metrics: RotationMetrics
  /** Of this process alone: who moves at each backend, and who is next. */
  readonly turns: Turns
  readonly clock: Clock
  readonly log: Logger
  readonly failpoint: Failpoint
  readonly timing: Timing
  readonly isLeader: () => boolean
  /** The current user's login is tried now and then, not in every pass. */
  readonly shouldTryLogin: (rotationId: string) => boolean
}

export interface Eligibility {
  refusal(
    rotation: SecretRotation,
    roles: readonly string[],
    backend: RotationBackend,
    namespaceLabels: Readonly<Record<string, string>>,
  ): Refusal | undefined
}

export interface Timing {
  /** Between two looks at consumers and sessions. */
  readonly pollMs: number
  /** A resource at rest is looked at this often, to put back what was changed by hand. */
  readonly resyncMs: number
}
