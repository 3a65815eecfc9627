import pg from 'pg'
import { PalisadeError } from '#core/problem'
import type { Sealed } from '#core/sealed'
import type {
  DatabaseAddress,
  Fence,
  FencedOutcome,
  FenceStanding,
  LoginOutcome,
  RotatingDatabase,
} from '../ports.ts'

export interface PostgresOptions {
  readonly host: string
  readonly port: number
  readonly database: string
  /** Undefined only for a server on loopback in tests; the configuration always gives a CA. */
  readonly ca: string | undefined
  /** Name in the server's certificate, where it differs from the host. */
  readonly serverName?: string | undefined
  /** The operator's own login is a client certificate: no password of its own exists. */
  readonly client: { readonly user: string; readonly cert?: string; readonly key?: string }
}

// What the fenced functions raise, and what PostgreSQL answers to a login it does not accept.
const STALE_FENCE = 'PL001'
const CLAIMED_BY_OTHER = 'PL002'
const NOT_ENROLLED = 'PL003'
const LOGIN_REFUSED = new Set(['28P01', '28000'])

type FencedFunction = 'disable_login' | 'enable_login' | 'destroy_verifier' | 'release'

// Complete texts, so that no statement is ever put together from strings.
const FENCED: Readonly<Record<FencedFunction, string>> = {
  disable_login: 'select palisade_fence.disable_login($1, $2, $3, $4)',
  enable_login: 'select palisade_fence.enable_login($1, $2, $3, $4)',
  destroy_verifier: 'select palisade_fence.destroy_verifier($1, $2, $3, $4)',
  release: 'select palisade_fence.release($1, $2, $3, $4)',
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

  constructor(options: PostgresOptions) {
    const { host, port, database, client } = options
    this.#at = { host, port, database }
    this.#options = options
    this.#pool = new pg.Pool({
      ...this.#server(),
      user: client.user,
      max: 4,
      idleTimeoutMillis: 10_000,
      ...(client.cert && client.key
        ? { ssl: { ...this.#tls(), cert: client.cert, key: client.key } }
        : {}),
    })
    // An idle connection that breaks is replaced at the next use; unheard, its error would end the process.
    this.#pool.on('error', () => undefined)
  }

  async preflight(roles: readonly [string, string], memberOf: string): Promise<readonly string[]> {
    const text = 'select * from palisade_fence.preflight($1, $2, $3)'
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

  adopt(role: string, oldOwner: string, fence: Fence): Promise<FencedOutcome> {
    const text = 'select palisade_fence.adopt($1, $2, $3, $4, $5)'
    const { owner, expected, next } = fence
    return this.#fenced(text, [role, oldOwner, owner, expected, next], role, fence)
  }

  terminate(role: string, fence: Fence): Promise<FencedOutcome> {
    const text = 'select palisade_fence.terminate_sessions($1, $2, $3)'
    return this.#fenced(text, [role, fence.owner, fence.expected], role, fence)
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

  async sessions(role: string) {
    const { rows } = await this.#query<{
      pid: number
      client_addr: string | null
      application_name: string | null
      backend_start: Date
    }>(
      'select pid, client_addr, application_name, backend_start from palisade_fence.sessions($1)',
      [role],
    )
    return rows.map((row) => ({
      pid: row.pid,
      // inet prints a single address as /32 or /128 in some contexts; holders are matched by bare address.
      address: (row.client_addr ?? 'local').replace(/\/\d+$/, ''),
      application: row.application_name ?? '',
      since: row.backend_start.toISOString(),
    }))
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
    return this.#pool.end()
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
        case STALE_FENCE:
          return (await this.#wasOurs(role, fence)) ? { kind: 'done' } : { kind: 'stale' }
        case CLAIMED_BY_OTHER:
          // An adoption that is repeated finds the old owner gone, since it is ours already.
          return (await this.#wasOurs(role, fence)) ? { kind: 'done' } : { kind: 'claimedByOther' }
        case NOT_ENROLLED:
          return { kind: 'notEnrolled' }
        default:
          throw error
      }
    }
  }

  /** A reply may be lost after the effect: then the fence stands exactly where this step wanted to move it. */
  async #wasOurs(role: string, fence: Fence): Promise<boolean> {
    const standing = await this.standing(role)
    return standing?.owner === fence.owner && standing.seqs[role] === fence.next
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

const sqlState = (error: unknown): string =>
  error instanceof pg.DatabaseError ? (error.code ?? '') : ''

/** The server's own words stay in `cause`, which no log serialiser of ours prints: they may quote a statement. */
function unreachable(error: unknown, at: DatabaseAddress): PalisadeError {
  const code = sqlState(error)
  return code === ''
    ? new PalisadeError('ERR_BACKEND_UNREACHABLE', `no answer from ${at.host}:${at.port}`, {
        cause: error,
      })
    : new PalisadeError('ERR_BACKEND_REFUSED', `PostgreSQL answered SQLSTATE ${code}`, {
        cause: error,
      })
}
