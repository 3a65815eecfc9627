import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { bindingCommand } from '#core/operator-binding'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'

export interface VaultOptions {
  readonly address: string
  readonly ca?: string
  /** Auth mount of the cluster, `kubernetes` by default. */
  readonly authMount: string
  /** The projected service account token; read at each login, since the kubelet replaces it. */
  readonly tokenFile: string
}

export interface VaultAnswer {
  readonly status: number
  readonly body: unknown
}

interface Session {
  readonly token: Sealed<string>
  readonly renewAt: number
}

const TIMEOUT_MS = 10_000
const OF_NAMESPACE = 'palisade-ns-'

function refusedLogin(role: string, status: number): PalisadeError {
  const detail = `the store refused the login with role "${role}" (${status})`
  if (!role.startsWith(OF_NAMESPACE)) {
    const remedy = `see that the store has this role, and that it is the operator's account's`
    return new PalisadeError('ERR_STORE_REFUSED', detail, { remedy })
  }
  const namespace = role.slice(OF_NAMESPACE.length)
  // Both halves at once: without the second a value is made that no Secret can carry yet.
  const remedy = `add ${namespace} to appNamespaces of the stack and apply that; or run "palisade enable ${namespace}", as the Job in examples/rotate-postgres-password/platform/2-open.yaml does, and: ${bindingCommand(namespace)}`
  return new PalisadeError('ERR_NAMESPACE_NOT_ENABLED', detail, { remedy })
}

/** One login per role; a call names the role whose rights it uses, and has no others. */
export class VaultClient {
  readonly #options: VaultOptions
  readonly #agent: Agent
  readonly #sessions = new Map<string, Promise<Session>>()

  constructor(options: VaultOptions) {
    this.#options = options
    this.#agent = new Agent({
      connect: { ...(options.ca ? { ca: options.ca } : {}), timeout: 5_000 },
    })
  }

  async call(
    role: string,
    method: 'GET' | 'POST' | 'PUT' | 'LIST',
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<VaultAnswer> {
    const session = await this.#session(role, signal)
    const answer = await this.#send(method, path, body, signal, session.token)
    if (answer.status !== 403) return answer
    // A token dies early when OpenBao is restored or its roles change: one new login tells which it is.
    this.#sessions.delete(role)
    const fresh = await this.#session(role, signal)
    return this.#send(method, path, body, signal, fresh.token)
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  #session(role: string, signal: AbortSignal): Promise<Session> {
    const known = this.#sessions.get(role)
    if (!known) return this.#renew(role, signal)
    return known.then((session) =>
      session.renewAt > performance.now() ? session : this.#renew(role, signal),
    )
  }

  #renew(role: string, signal: AbortSignal): Promise<Session> {
    const login = this.#login(role, signal)
    this.#sessions.set(role, login)
    login.catch(() => {
      if (this.#sessions.get(role) === login) this.#sessions.delete(role)
    })
    return login
  }

  async #login(role: string, signal: AbortSignal): Promise<Session> {
    const jwt = (await readFile(this.#options.tokenFile, 'utf8')).trim()
    const path = `auth/${this.#options.authMount}/login`
    const answer = await this.#send('POST', path, { role, jwt }, signal)
    const auth = (answer.body as { auth?: { client_token: string; lease_duration: number } }).auth
    if (answer.status !== 200 || !auth) {
      throw refusedLogin(role, answer.status)
    }
    // Two thirds of the life, so that a slow renewal still has a valid token beside it.
    const renewAt = performance.now() + (auth.lease_duration * 1000 * 2) / 3
    return { token: Sealed.of(auth.client_token), renewAt }
  }

  async #send(
    method: 'GET' | 'POST' | 'PUT' | 'LIST',
    path: string,
    body: unknown,
    signal: AbortSignal,
    token?: Sealed<string>,
  ): Promise<VaultAnswer> {
    const url = new URL(`/v1/${path}`, this.#options.address)
    try {
      const response = await request(url, {
        method: method as 'GET',
        dispatcher: this.#agent,
        headers: {
          'content-type': 'application/json',
          'x-vault-request': 'true',
          ...(token ? { 'x-vault-token': token.reveal() } : {}),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const text = await response.body.text()
      const answer = {
        status: response.statusCode,
        body: text === '' ? {} : (JSON.parse(text) as unknown),
      }
      if (answer.status < 500) return answer
      throw new PalisadeError('ERR_STORE_UNREACHABLE', `the store answered ${answer.status}`)
    } catch (error) {
      if (error instanceof PalisadeError || signal.aborted) throw error
      throw new PalisadeError('ERR_STORE_UNREACHABLE', `no answer from ${url.origin}`, {
        cause: error,
      })
    }
  }
}
