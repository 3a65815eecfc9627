import { scramSha256Verifier } from '#core/scram'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation, SecretRotationStatus } from '#api/v1alpha1/secret-rotation'
import type {
  DatabaseSession,
  Deps,
  Fence,
  FencedOutcome,
  LoginOutcome,
  RecordKey,
  RefusalsSeen,
  RotatingDatabase,
  SecretOutcome,
  StoredValue,
} from '../../ports.ts'
import type { EventNote } from '../../runtime/events.ts'
import type { AuditEntry } from '../audit-outbox.ts'
import { reconcile } from '../reconcile.ts'
import type { StateRecord } from '../state.ts'
import { Turns } from '../turns.ts'
import { observed } from './observed.ts'
import { noAnswer, Versions } from './versions.ts'

/** Thrown where a process would have died. */
export class Crash extends Error {}

export interface MemoryRole {
  seq: number
  login: boolean
  verifier: string | null
}

type Seqs = Readonly<Record<string, number>>

/** A pair of roles behind a fence, with the rules of palisade_fence and a database of nothing else. */
class MemoryDatabase implements RotatingDatabase {
  owner: string | null = null
  readonly roles: Record<string, MemoryRole>
  open: DatabaseSession[] = []
  silent: string[] = []
  away = false

  constructor(names: readonly [string, string]) {
    const fresh = (): MemoryRole => ({ seq: 0, login: false, verifier: null })
    this.roles = { [names[0]]: fresh(), [names[1]]: fresh() }
  }

  preflight = () => Promise.resolve([])
  setVerifier = (role: string, fence: Fence, verifier: string) =>
    this.#move(role, fence, fence.owner, (r) => Object.assign(r, { login: true, verifier }))
  disable = (role: string, fence: Fence) =>
    this.#move(role, fence, fence.owner, (r) => (r.login = false))
  enable = (role: string, fence: Fence) =>
    this.#move(role, fence, fence.owner, (r) => (r.login = true))
  destroyVerifier = (role: string, fence: Fence) =>
    this.#move(role, fence, fence.owner, (r) => Object.assign(r, { login: false, verifier: null }))
  resync = (role: string, fence: Fence) => this.#move(role, fence, fence.owner, () => undefined)
  release = (role: string, fence: Fence) => this.#move(role, fence, null, () => undefined)
  adopt = (role: string, oldOwner: string, fence: Fence) => {
    if (this.owner === fence.owner && this.roles[role]?.seq === fence.next) return DONE
    return this.#move(role, { ...fence, owner: oldOwner }, fence.owner, () => undefined)
  }
  terminate = () => {
    const silent = this.silent.map((instance) => ({ instance, why: 'gives no answer' as const }))
    return Promise.resolve({ kind: 'done', silent } as const)
  }
  standing = () => {
    if (this.away) return Promise.reject(noAnswer('ERR_BACKEND_UNREACHABLE'))
    const seqs = Object.entries(this.roles).map(([name, { seq }]) => [name, seq])
    return Promise.resolve({ owner: this.owner, seqs: Object.fromEntries(seqs) as Seqs })
  }
  sessions = () => Promise.resolve({ sessions: this.open, silent: this.silent })
  tryLogin = (role: string, password: { reveal(): string }) =>
    Promise.resolve<LoginOutcome>(this.opens(role, password.reveal()) ? 'accepted' : 'refused')
  close = () => Promise.resolve()

  opens(role: string, password: string): boolean {
    const { login = false, verifier = null } = this.roles[role] ?? {}
    const [, salt = ''] = /:([^$]+)\$/.exec(verifier ?? '') ?? []
    const wanted = scramSha256Verifier(password, { salt: Buffer.from(salt, 'base64') })
    return login && wanted === verifier
  }

  #move(
    name: string,
    { owner, expected, next }: Fence,
    newOwner: string | null,
    change: (role: MemoryRole) => unknown,
  ): Promise<FencedOutcome> {
    if (this.away) return Promise.reject(noAnswer('ERR_BACKEND_UNREACHABLE'))
    const role = this.roles[name]
    if (!role) return Promise.resolve({ kind: 'notEnrolled' })
    if (this.owner !== null && this.owner !== owner)
      return Promise.resolve({ kind: 'claimedByOther' })
    if (role.seq === next && this.owner === owner) return DONE
    if (role.seq !== expected || next <= expected)
      return Promise.resolve({ kind: 'stale', standsAt: role.seq })
    change(role)
    role.seq = next
    this.owner = newOwner
    return DONE
  }
}
const DONE = Promise.resolve({ kind: 'done' } as const)

/** Everything a pass touches, in memory, and a clock that a test moves. */
export class MemoryWorld {
  readonly database = new MemoryDatabase(['shop_a', 'shop_b'])
  readonly states = new Versions<StateRecord>()
  readonly values = new Versions<StoredValue>()
  readonly resources = new Map<string, SecretRotation>()
  /** What was told to whoever looks at the resource, and what the audit log took. */
  readonly events: EventNote[] = []
  readonly told: AuditEntry[] = []
  intake: 'none' | 'takes' | 'away' = 'none'
  backend: RotationBackend | undefined = BACKEND
  terminatingSince: string | undefined
  leads = true
  /** What the API server says instead of taking the Secret. */
  secretRefusal: SecretOutcome | undefined
  refusals: RefusalsSeen = { kind: 'seen', clients: [] }
  now = Date.parse('2026-11-21T12:00:00Z')
  /** Worlds that share it are resources of one process at one backend, each with a pair of its own. */
  readonly turns: Turns
  #failpoint = { name: '', passages: 0 }

  constructor(turns?: Turns) {
    this.turns = turns ?? new Turns(() => this.now)
  }

  /** A resource with times short enough for a test. */
  create(name: string, uid: string, change: Partial<SecretRotation['spec']> = {}): void {
    const { rotation } = observed()
    this.resources.set(name, {
      ...rotation,
      metadata: { ...rotation.metadata, name, uid, creationTimestamp: '2026-11-21T11:00:00Z' },
      spec: { ...rotation.spec, ...change },
    })
  }

  annotate(name: string, annotations: Readonly<Record<string, string>>): void {
    const resource = this.resource(name)
    const metadata = {
      ...resource.metadata,
      annotations: { ...resource.metadata.annotations, ...annotations },
    }
    this.resources.set(name, { ...resource, metadata })
  }

  delete(name: string): void {
    const resource = this.resource(name)
    const metadata = { ...resource.metadata, deletionTimestamp: new Date(this.now).toISOString() }
    this.resources.set(name, { ...resource, metadata })
  }

  isHeld = (name: string): boolean => this.resource(name).metadata.finalizers?.length !== 0

  /** Deleted, and passed until the finalizer is gone. */
  async remove(name: string, passes = 20): Promise<void> {
    this.delete(name)
    for (let pass = 0; pass < passes; pass += 1) {
      const next = await this.pass(name)
      if (next.kind === 'after') this.now += next.ms
      if (!this.isHeld(name)) return
    }
    throw new Error(`${name} was not released`)
  }

  resource(name: string): SecretRotation {
    const found = this.resources.get(name)
    if (!found) throw new Error(`there is no ${name}`)
    return found
  }

  record(name: string): StateRecord {
    const record = this.states.at.get(`c/shop/${name}`)?.at(-1)
    if (!record) throw new Error(`there is no record of ${name}`)
    return record
  }

  /** The process dies at this passage of a failpoint. */
  dieAt(name: string, passages = 1): void {
    this.#failpoint = { name, passages }
  }

  /** Passes until nothing is left to do but wait, a minute after the other at most. */
  async settle(
    name: string,
    until: (record: StateRecord) => boolean = isIdle,
  ): Promise<StateRecord> {
    for (let pass = 0; pass < 200; pass += 1) {
      const next = await this.pass(name)
      if (next.kind === 'after') {
        if (until(this.record(name))) return this.record(name)
        this.now += Math.min(next.ms, 60_000)
      }
    }
    throw new Error(`not settled: ${JSON.stringify(this.resource(name).status?.conditions)}`)
  }

  pass(name: string) {
    return reconcile({ namespace: 'shop', name }, this.#deps(), new AbortController().signal)
  }

  #deps(): Deps {
    const path = ({ cluster = 'c', namespace, name }: RecordKey) =>
      `${cluster}/${namespace}/${name}`
    const edit = (rotation: SecretRotation, change: Partial<SecretRotation>) => {
      const { name } = rotation.metadata
      this.resources.set(name, { ...this.resource(name), ...change })
      return Promise.resolve()
    }
    const finalizers = (rotation: SecretRotation, list: string[]) =>
      edit(rotation, { metadata: { ...rotation.metadata, finalizers: list } })
    return {
      cluster: 'c',
      rotations: {
        find: ({ name }: { name: string }) => Promise.resolve(this.resources.get(name)),
        writeStatus: (rotation: SecretRotation, status: SecretRotationStatus) =>
          edit(rotation, { status }),
        hold: (rotation: SecretRotation) => finalizers(rotation, ['palisade.dev/release']),
        letGo: (rotation: SecretRotation) => finalizers(rotation, []),
      },
      backends: {
        find: () => Promise.resolve(this.backend),
        namespaceLabels: () =>
          Promise.resolve({ labels: {}, terminatingSince: this.terminatingSince }),
      },
      states: {
        read: (key: RecordKey) => this.states.read(path(key)),
        write: (key: RecordKey, record: StateRecord, cas: number) =>
          this.states.write(path(key), record, cas),
      },
      values: {
        read: (namespace: string, at: string, _signal: unknown, version?: number) =>
          this.values.read(`${namespace}/${at}`, version),
        write: (namespace: string, at: string, value: StoredValue, cas: number) =>
          this.values.write(`${namespace}/${at}`, value, cas),
        destroy: () => Promise.resolve(),
      },
      databaseOf: () => this.database,
      refusedLogins: { of: () => Promise.resolve(this.refusals) },
      eligibility: { refusal: () => undefined },
      secrets: {
        apply: () =>
          Promise.resolve(
            this.secretRefusal ?? { kind: 'applied', at: new Date(this.now).toISOString() },
          ),
      },
      consumers: { find: () => Promise.resolve([]), patch: () => Promise.resolve('gone') },
      audit: this.intake === 'none' ? undefined : { deliver: this.#deliver },
      events: { record: (_about: unknown, event: EventNote) => void this.events.push(event) },
      metrics: {
        issued: () => undefined,
        overdue: () => undefined,
        stalled: () => undefined,
        undelivered: () => undefined,
        blind: () => undefined,
        forget: () => undefined,
      },
      turns: this.turns,
      clock: { now: () => new Date(this.now) },
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      failpoint: (name: string) => this.#pass(name),
      timing: { pollMs: 5_000, resyncMs: 600_000 },
      isLeader: () => this.leads,
      shouldTryLogin: () => true,
    } as unknown as Deps
  }

  #deliver = (_owner: unknown, entries: readonly AuditEntry[]): Promise<void> => {
    if (this.intake === 'away') return Promise.reject(new Error('the intake is away'))
    this.told.push(...entries)
    return Promise.resolve()
  }

  #pass(name: string): void {
    if (name !== this.#failpoint.name) return
    this.#failpoint.passages -= 1
    if (this.#failpoint.passages === 0) throw new Crash(name)
  }
}

const isIdle = ({ rotation }: StateRecord): boolean => rotation === null

const BACKEND = {
  metadata: { name: 'main' },
  spec: {
    kind: 'Postgres',
    endpoint: { host: 'db', port: 5432, database: 'shop' },
    maxConcurrent: 4,
  },
} as unknown as RotationBackend
