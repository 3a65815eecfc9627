import type { Sealed } from '#core/sealed'

/** A fenced call: the backend refuses it unless `expected` is the number it accepted last. */
export interface Fence {
  readonly owner: string
  readonly expected: number
  readonly next: number
}

export type FencedOutcome =
  | { readonly kind: 'done' }
  /** The backend has accepted another number meanwhile, and where it stands if it could be asked. */
  | { readonly kind: 'stale'; readonly standsAt?: number }
  | { readonly kind: 'claimedByOther' }
  | { readonly kind: 'notEnrolled' }

/** An instance on which sessions may be open still. */
export interface SilentInstance {
  readonly instance: string
  readonly why: 'gives no answer' | 'has not caught up'
}

export type Termination =
  | Exclude<FencedOutcome, { kind: 'done' }>
  /** On every instance that answered. */
  | { readonly kind: 'done'; readonly silent: readonly SilentInstance[] }

export interface DatabaseSession {
  readonly pid: number
  readonly address: string
  readonly application: string
  readonly since: string
}

/** Sessions on all instances, and the instances whose sessions nobody knows. */
export interface SessionsSeen {
  readonly sessions: readonly DatabaseSession[]
  readonly silent: readonly string[]
}

/** Where the backend's fence stands. */
export interface FenceStanding {
  /** Null while nobody holds the pair. */
  readonly owner: string | null
  /** Per role of the pair, the number that it accepted last. */
  readonly seqs: Readonly<Record<string, number>>
}

export type LoginOutcome = 'accepted' | 'refused'

/** One database server that holds the two users, through the fenced functions alone. */
export interface RotatingDatabase {
  preflight(roles: readonly [string, string], memberOf: string): Promise<readonly string[]>
  setVerifier(role: string, fence: Fence, verifier: string): Promise<FencedOutcome>
  disable(role: string, fence: Fence): Promise<FencedOutcome>
  enable(role: string, fence: Fence): Promise<FencedOutcome>
  destroyVerifier(role: string, fence: Fence): Promise<FencedOutcome>
  /** On every instance. Moves no number: `expected` has to be the one that stands. */
  terminate(role: string, fence: Fence): Promise<Termination>
  release(role: string, fence: Fence): Promise<FencedOutcome>
  /** Moves the number and nothing else. */
  resync(role: string, fence: Fence): Promise<FencedOutcome>
  adopt(role: string, oldOwner: string, fence: Fence): Promise<FencedOutcome>
  /** Undefined when the role is not enrolled. */
  standing(role: string): Promise<FenceStanding | undefined>
  /** On every instance. */
  sessions(role: string): Promise<SessionsSeen>
  /** A login of its own, with nothing of the operator's rights. */
  tryLogin(role: string, password: Sealed<string>, database: string): Promise<LoginOutcome>
  close(): Promise<void>
}

/** A server and the database on it that consumers use. */
export interface DatabaseAddress {
  readonly host: string
  readonly port: number
  readonly database: string
}
