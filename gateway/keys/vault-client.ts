import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'

export interface VaultAddress {
  readonly address: string
  /** Path of the Kubernetes auth mount and the role to log in as. */
  readonly authPath: string
  readonly role: string
  /** Projected service account token; read at each login, since the kubelet replaces it. */
  readonly tokenFile: string
}

interface VaultAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

interface Session {
  readonly token: Sealed<string>
  /** After this a new one is fetched; a third of the lease is left for a Vault that is away. */
  readonly renewAfter: number
}

const TIMEOUT_MS = 5_000

/** As much of Vault's HTTP API as the gateway and the Jobs use, with one login that is shared and renewed. */
export class VaultClient {
  readonly #where: VaultAddress
  readonly #clock: Clock
  readonly #agent: Agent
  #session: Promise<Session> | undefined

  constructor(where: VaultAddress, ca: string, clock: Clock) {
    this.#where = where
    this.#clock = clock
    this.#agent = new Agent({
      connect: { ca, timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    })
  }

  /** Answers of status 2xx and 404; everything else is thrown, without the body, which may quote the request. */
  async call(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<VaultAnswer> {
    const session = await this.#login()
    let answer = await this.#send(method, path, body, session.token)
    if (answer.status === 403) {
      // Revoked or expired early: one new login tells it from a missing right.
      const now = await this.#session?.catch(() => undefined)
      if (now === session) this.#session = undefined
      answer = await this.#send(method, path, body, (await this.#login()).token)
    }
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 400) {
      throw new PalisadeError('ERR_KEYS_UNAVAILABLE', `Vault answered ${answer.status} to ${path}`)
    }
    return answer
  }

  /** 200 active, 429 and 473 standby; 503 sealed. Needs no token. */
  async health(): Promise<{ readonly ok: boolean; readonly reason: string }> {
    try {
      const { status } = await this.#send('GET', 'sys/health?standbyok=true')
      const ok = status === 200
      return { ok, reason: ok ? 'unsealed' : `Vault answered ${status} to its health check` }
    } catch {
      return { ok: false, reason: 'Vault cannot be reached' }
    }
  }

  async close(): Promise<void> {
    await this.#agent.close()
  }

  async #login(): Promise<Session> {
    const asked = this.#session
    const session = await asked?.catch(() => undefined)
    if (session && session.renewAfter > this.#clock.now().getTime()) return session
    // One login for all requests that wait: the first of them begins it.
    if (this.#session !== undefined && this.#session !== asked) return this.#session
    const opening = this.#openSession()
    this.#session = opening
    opening.catch(() => this.#session === opening && (this.#session = undefined))
    return opening
  }

  async #openSession(): Promise<Session> {
    const jwt = (await readFile(this.#where.tokenFile, 'utf8')).trim()
    const path = `auth/${this.#where.authPath}/login`
    const { status, body } = await this.#send('POST', path, { role: this.#where.role, jwt })
    const auth = body['auth'] as { client_token?: string; lease_duration?: number } | undefined
    if (status !== 200 || !auth?.client_token) {
      throw new PalisadeError(
        'ERR_KEYS_UNAVAILABLE',
        `Vault refused the login of role ${this.#where.role} (${status})`,
        {
          remedy:
            'compare the auth role with the service account and namespace of this program; role palisade-database exists only in a store made with postgres.existing (ADR 0013)',
        },
      )
    }
    const lease = (auth.lease_duration ?? 60) * 1000
    return {
      token: Sealed.of(auth.client_token),
      renewAfter: this.#clock.now().getTime() + (lease * 2) / 3,
    }
  }

  async #send(method: string, path: string, body?: object, token?: Sealed<string>) {
    try {
      const answer = await request(`${this.#where.address}/v1/${path}`, {
        method,
        dispatcher: this.#agent,
        headers: {
          'x-vault-request': 'true',
          ...(token ? { 'x-vault-token': token.reveal() } : {}),
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      const text = await answer.body.text()
      return { status: answer.statusCode, body: parse(text) }
    } catch (cause) {
      throw new PalisadeError('ERR_KEYS_UNAVAILABLE', 'Vault cannot be reached', { cause })
    }
  }
}

function parse(text: string): Record<string, unknown> {
  if (text === '') return {}
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
