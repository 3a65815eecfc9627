import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type {
  Consumer,
  DatabaseAddress,
  LoginOutcome,
  RefusalsSeen,
  SessionsSeen,
  RotatingDatabase,
  StoredValue,
  Versioned,
} from '../ports.ts'
import type { AlternatingRoles } from './eligibility.ts'
import type { StateRecord } from './state.ts'

/** All that one pass has read. Nothing here is a judgement. */
export interface Observed {
  readonly rotation: SecretRotation
  readonly source: AlternatingRoles
  readonly state: Versioned<StateRecord>
  readonly value: Versioned<StoredValue>
  /** What the previous version's value is, as long as it exists and somebody needs it. */
  readonly previousValue: StoredValue | undefined
  readonly database: RotatingDatabase
  readonly address: DatabaseAddress
  /** Empty unless a published rotation waits for them. */
  readonly consumers: readonly Consumer[]
  /** Of the previous user; undefined when nobody had to ask. */
  readonly sessions: SessionsSeen | undefined
  /** Of the previous user while it is disabled; undefined when nobody had to look. */
  readonly refusals: RefusalsSeen | undefined
  /** Of the current user; undefined when it was not tried in this pass. */
  readonly currentLogin: LoginOutcome | undefined
  /** What the backend lacks for a rotation; asked only before one starts. */
  readonly preflight: readonly string[]
  /** How many rotations of the backend go before this one, and how many may move at the same time. */
  readonly turn: { readonly ahead: number; readonly limit: number }
}
