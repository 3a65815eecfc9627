import pg from 'pg'
import { PalisadeError } from '#core/problem'
import type { Sealed } from '#core/sealed'
import { identityOf, sessionOf, SESSIONS, type SessionRow } from './postgres-sessions.ts'
import { Instances, resolveAll, type InstanceAddress, type Resolve } from './instances.ts'
import type {
  DatabaseAddress,
  Fence,
  FencedOutcome,
  FenceStanding,
  LoginOutcome,
  RotatingDatabase,
  SessionsSeen,
  SilentInstance,
  Termination,
} from '../ports.ts'

export interface PostgresOptions {
  /** A name behind which every instance has an address; undefined where the endpoint is the only one. */
  readonly instances?: InstanceAddress | undefined
  readonly resolve?: Resolve
  readonly host: string
  readonly port: number
  readonly database: string
  /** Undefined only for a server on loopback in tests; the configuration always gives a CA. */
  readonly ca: string | undefined
  /** Name in the server's certificate, where it differs from the host. */
  readonly serverName?: string | undefined
  /** The operator's own login: a client certificate, or a password where no certificate of ours is trusted. */
  readonly client: {
    readonly user: string
    readonly cert?: string
    readonly key?: string
    readonly password?: Sealed<string>
  }
}

// What the fenced functions raise, and what PostgreSQL answers to a login it does not accept.
const STALE_FENCE = 'PL001'
const CLAIMED_BY_OTHER = 'PL002'
const NOT_ENROLLED = 'PL003'
const NOT_CAUGHT_UP = 'PL006'
const LOGIN_REFUSED = new Set(['28P01', '28000'])

type FencedFunction = 'disable_login' | 'enable_login' | 'destroy_verifier' | 'release' | 'resync'

// Complete texts, so that no statement is ever put together from strings.
const FENCED: Readonly<Record<FencedFunction, string>> = {
  disable_login: 'select palisade_fence.disable_login($1, $2, $3, $4)',
  enable_login: 'select palisade_fence.enable_login($1, $2, $3, $4)',
  destroy_verifier: 'select palisade_fence.destroy_verifier($1, $2, $3, $4)',
  release: 'select palisade_fence.release($1, $2, $3, $4)',
  resync: 'select palisade_fence.resync($1, $2, $3, $4)',
}

interface FenceRow {
  readonly role_name: string
  readonly owner: string | null
  readonly seq: string
}

interface Problem {
  readonly problem: string
  readonly remedy: string
}

export class PostgresDatabase implements RotatingDatabase {
  readonly #at: DatabaseAddress
  readonly #options: PostgresOptions
  readonly #pool: pg.Pool
  readonly #instances: Instances | undefined

  constructor(options: PostgresOptions) {
    const { host, port, database, instances, resolve = resolveAll } = options
    this.#at = { host, port, database }
    this.#options = options
    this.#pool = this.#poolTo({}, 4)
    // The certificate is checked against the backend's own name, whatever address the name server gives.
    this.#instances =
      instances &&
      new Instances(
        instances,
        (address) => this.#poolTo({ host: address, port: instances.port }, 2),
        resolve,
      )
  }

  #poolTo(at: pg.ClientConfig, max: number): pg.Pool {
    const { client } = this.#options
    const pool = new pg.Pool({
      ...this.#server(),
      ...at,
      user: client.user,
      max,
      idleTimeoutMillis: 10_000,
      ...(client.cert && client.key
        ? { ssl: { ...this.#tls(), cert: client.cert, key: client.key } }
        : {}),
      ...(client.password ? { password: client.password.reveal() } : {}),
    })
    // An idle connection that breaks is replaced at the next use; unheard, its error would end the process.
    pool.on('error', () => undefined)
    return pool
  }

  async preflight(roles: readonly [string, string], memberOf: string): Promise<readonly string[]> {
    const text = `select problem, remedy from palisade_fence.preflight($1, $2, $3)
      union all select problem, remedy from palisade_fence.loud_settings()`
    const { rows } = await this.#query<Problem>(text, [...roles, memberOf])
    return rows.map(({ problem, remedy }) => `${problem}: ${remedy}`)
  }

  setVerifier(role: string, fence: Fence, verifier: string): Promise<FencedOutcome> {
    const text = 'select palisade_fence.set_verifier($1, $2, $3, $4, $5)'
    const { owner, expected, next } = fence
    return this.#fenced(text, [role, owner, expected, next, verifier], role, fence)
  }

  disable(role: string, fence: Fence): Promise<FencedOutcome> {
    return this.#fencedBy('disable_login', role, fence)
  }

  enable(role: string, fence: Fence): Promise<FencedOutcome> {
    return this.#fencedBy('enable_login', role, fence)
  }

  destroyVerifier(role: string, fence: Fence): Promise<FencedOutcome> {
    return this.#fencedBy('destroy_verifier', role, fence)
  }

  release(role: string, fence: Fence): Promise<FencedOutcome> {
    return this.#fencedBy('release', role, fence)
  }

  resync(role: string, fence: Fence): Promise<FencedOutcome> {
    return this.#fencedBy('resync', role, fence)
  }

  adopt(role: string, oldOwner: string, fence: Fence): Promise<FencedOutcome> {
    const text = 'select palisade_fence.adopt($1, $2, $3, $4, $5)'
    const { owner, expected, next } = fence
    return this.#fenced(text, [role, oldOwner, owner, expected, next], role, fence)
  }

  /** The primary first: its answer tells whether the caller may do this at all. */
  async terminate(role: string, fence: Fence): Promise<Termination> {
    const text = 'select palisade_fence.terminate_sessions($1, $2, $3)'
    const values = [role, fence.owner, fence.expected]
    // It moves no number, so no number that stands there tells that a lost reply was a success.
    const outcome = await this.#fenced(text, values, role, { ...fence, next: -1 })
    if (outcome.kind !== 'done') return outcome
    if (!this.#instances) return { kind: 'done', silent: [] }
    const answers = await this.#instances.each((pool) => pool.query(text, values))
    const silent = answers.flatMap(({ instance, answer }) =>
      answer.status === 'rejected' ? [{ instance, why: whySilent(answer.reason) }] : [],
    )
    return { kind: 'done', silent }
  }

  async standing(role: string): Promise<FenceStanding | undefined> {
    const text = 'select role_name, owner, seq from palisade_fence.observe($1)'
    const { rows } = await this.#query<FenceRow>(text, [role])
    const [first] = rows
    if (!first) return undefined
    return {
      owner: first.owner,
      seqs: Object.fromEntries(rows.map((row) => [row.role_name, Number(row.seq)])),
    }
  }

  async sessions(role: string): Promise<SessionsSeen> {
    const { rows } = await this.#query<SessionRow>(SESSIONS, [role])
    if (!this.#instances) return { sessions: rows.map(sessionOf), silent: [] }
    const answers = await this.#instances.each((pool) => pool.query<SessionRow>(SESSIONS, [role]))
    const all = answers.flatMap(({ answer }) =>
      answer.status === 'fulfilled' ? answer.value.rows : [],
    )
    // The primary is one of them as well, unless the name leaves it out.
    const known = new Map([...rows, ...all].map((row) => [identityOf(row), sessionOf(row)]))
    const silent = answers.filter(({ answer }) => answer.status === 'rejected')
    return { sessions: [...known.values()], silent: silent.map(({ instance }) => instance) }
  }

  async tryLogin(role: string, password: Sealed<string>, database: string): Promise<LoginOutcome> {
    const client = new pg.Client({
      ...this.#server(),
      database,
      user: role,
      password: password.reveal(),
      application_name: 'palisade-operator-test',
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('select 1')
      return 'accepted'
    } catch (error) {
      if (LOGIN_REFUSED.has(sqlState(error))) return 'refused'
      throw unreachable(error, this.#at)
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  close(): Promise<void> {
    return Promise.all([this.#pool.end(), this.#instances?.close()]).then(() => undefined)
  }

  #fencedBy(name: FencedFunction, role: string, fence: Fence): Promise<FencedOutcome> {
    const values = [role, fence.owner, fence.expected, fence.next]
    return this.#fenced(FENCED[name], values, role, fence)
  }

  async #fenced(
    text: string,
    values: readonly unknown[],
    role: string,
    fence: Fence,
  ): Promise<FencedOutcome> {
    try {
      await this.#query(text, values)
      return { kind: 'done' }
    } catch (error) {
      switch (sqlState((error as Error).cause)) {
        case STALE_FENCE: {
          const standing = await this.standing(role)
          const standsAt = standing?.seqs[role]
          if (isWhereItWanted(standing, role, fence)) return { kind: 'done' }
          return { kind: 'stale', ...(standsAt === undefined ? {} : { standsAt }) }
        }
        case CLAIMED_BY_OTHER:
          // An adoption that is repeated finds the old owner gone, since it is ours already.
          return isWhereItWanted(await this.standing(role), role, fence)
            ? { kind: 'done' }
            : { kind: 'claimedByOther' }
        case NOT_ENROLLED:
          return { kind: 'notEnrolled' }
        default:
          throw error
      }
    }
  }

  async #query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) {
    try {
      return await this.#pool.query<Row>(text, [...values])
    } catch (error) {
      throw unreachable(error, this.#at)
    }
  }

  #server(): pg.ClientConfig {
    const { host, port, database, ca } = this.#options
    const tls = ca === undefined ? {} : { ssl: this.#tls() }
    return {
      host,
      port,
      database,
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
      statement_timeout: 10_000,
      ...tls,
    }
  }

  #tls() {
    const { host, ca, serverName } = this.#options
    return {
      rejectUnauthorized: true,
      servername: serverName ?? host,
      ...(ca === undefined ? {} : { ca }),
    }
  }
}

const whySilent = (error: unknown): SilentInstance['why'] =>
  sqlState(error) === NOT_CAUGHT_UP ? 'has not caught up' : 'gives no answer'

/** A reply may be lost after the effect: then the fence stands exactly where this step wanted to move it. */
const isWhereItWanted = (standing: FenceStanding | undefined, role: string, fence: Fence) =>
  standing?.owner === fence.owner && standing.seqs[role] === fence.next

const sqlState = (error: unknown): string =>
  error instanceof pg.DatabaseError ? (error.code ?? '') : ''

/** It stops, starts, fails over or has no room for one more: an answer, but the answer that nobody is there now. */
const IS_AWAY = /^(08|57P0[123]|53300)/

/** The server's own words stay in `cause`, which no log serialiser of ours prints: they may quote a statement. */
function unreachable(error: unknown, at: DatabaseAddress): PalisadeError {
  const code = sqlState(error)
  return code === '' || IS_AWAY.test(code)
    ? new PalisadeError('ERR_BACKEND_UNREACHABLE', `no answer from ${at.host}:${at.port}`, {
        cause: error,
      })
    : new PalisadeError('ERR_BACKEND_REFUSED', `PostgreSQL answered SQLSTATE ${code}`, {
        cause: error,
      })
}
