import type { Holder } from '#api/v1alpha1/secret-rotation-status'
import type { AuditEntry } from './audit-outbox.ts'

/** The step that comes next. Each names one outside effect, `converge` and `watch` excepted, which wait. */
export const STEPS = [
  'setVerifier',
  'testLogin',
  'publishValue',
  'publishSecret',
  'converge',
  'disable',
  'terminate',
  'watch',
  'enable',
  'destroyVerifier',
  'destroyValue',
  'dropPrevious',
] as const
export type Step = (typeof STEPS)[number]

export type RotationReason =
  'FirstIssue' | 'PeriodHasEnded' | 'Requested' | 'CurrentIsRefused' | 'Leaked' | 'RolledBack'

/** A value that was tested and published. */
export interface Issued {
  readonly version: number
  readonly role: string
  readonly rotationId: string
  /** The version that the value store gave it; destroyed at retirement. */
  readonly storeVersion: number
  readonly issuedAt: string
}

export interface InFlight {
  readonly id: string
  readonly version: number
  readonly role: string
  readonly reason: RotationReason
  readonly step: Step
  readonly startedAt: string
  readonly specDigest: string
  /** The new password, from the intent until it is published; it is nowhere else in between. */
  readonly pending?: string
  /** By the API server's clock: when the Secret with the new value was written. */
  readonly publishedAt?: string
  /** Since when the backend has seen no session of the previous user. */
  readonly quietSince?: string
  /** Workloads that were told to restart, and when. */
  readonly restarts?: Readonly<Record<string, string>>
  /** Noted with the intent to disable: refusals from here on are the previous user's. */
  readonly shutOutAt?: string
  readonly disabledAt?: string
  /** Instances that gave no answer when its sessions were to end. */
  readonly unreached?: readonly string[]
  /** Who was refused while the previous user was disabled, and how often that let it in again. */
  readonly refused?: { readonly times: number; readonly holders: readonly Holder[] }
  /** How often the backend refused a new value of this rotation. */
  readonly refusals?: number
}

export interface ClaimOwner {
  readonly cluster: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** One rotation's memory, the truth about where it is. Whoever holds an older version cannot write it. */
export interface StateRecord {
  readonly format: 1
  readonly owner: ClaimOwner
  /** Only grows, with every intent. */
  readonly seq: number
  /** Per role, the number that the backend accepted last. */
  readonly fences: Readonly<Record<string, number>>
  /** What the claim covers, so that a release needs no spec. */
  readonly claim: {
    readonly backend: string
    readonly roles: readonly [string, string]
    readonly memberOf: string
    readonly database: string
    readonly storePath: string
    readonly secretName: string
  }
  readonly rotation: InFlight | null
  readonly current: Issued | null
  /** Set while the value before the current one may still be of use. */
  readonly previous: Issued | null
  /** Of a tombstone: what ran when its backend was away, without its value. */
  readonly interrupted?: InFlight
  /** The number that the Secret in the cluster carries. */
  readonly secretSeq: number
  readonly lastRotationTime?: string
  readonly lastHandledRotateNow?: string
  readonly lastHandledLeak?: string
  /** The owner that the roles still carry, until the backend has handed them over. */
  readonly adopting?: string | undefined
  /** Roles whose number is still to be moved on after a restore. */
  readonly resyncing?: readonly string[] | undefined
  /** The record of another name that this one goes on from, until it is closed. */
  readonly takenFrom?: { readonly owner: ClaimOwner; readonly cas: number } | undefined
  /** Roles whose verifier a release has destroyed, and whether the pair itself was given back. */
  readonly closed?: readonly string[]
  readonly rolesReleased?: boolean
  readonly outbox: readonly AuditEntry[]
  /** A tombstone: the record stays, so that its counter never starts again from 1. */
  readonly released?: {
    readonly at: string
    readonly policy: 'Retain' | 'Revoke' | 'Abandoned' | 'Adopted'
  }
}

export const ownerText = (owner: ClaimOwner): string =>
  `${owner.cluster}/${owner.namespace}/${owner.name}/${owner.uid}`

export const isSameOwner = (a: ClaimOwner, b: ClaimOwner): boolean => ownerText(a) === ownerText(b)

/** Nobody waits for evidence: the old value is in the wrong hands, or does not work any more. */
export const isForced = (flight: InFlight): boolean =>
  flight.reason === 'Leaked' || flight.reason === 'CurrentIsRefused'

/** The user that is free to take the next value: the one that is not in use, the first at the beginning. */
export const otherRole = (state: StateRecord): string =>
  state.current?.role === state.claim.roles[0] ? state.claim.roles[1] : state.claim.roles[0]
