import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { AuditWorld } from './audit-world.ts'
import { inTime } from './child.ts'
import type { Person } from './gateway.ts'

/** What a gateway answered with 2xx: from then on its record must be in the log. */
export interface Acknowledged {
  readonly eventType: 'secret.write' | 'secret.read'
  readonly name: string
  readonly version: number
}

export interface Answer {
  readonly status: number
  readonly body: {
    readonly code?: string
    readonly version?: number
    readonly value?: string
    readonly id?: string
    readonly createdAt?: string
  }
}

const PATIENCE_MS = 60_000
const TOKEN_MS = 5 * 60_000

/** One user who insists: what was not answered goes to the next replica, under the same idempotency key. */
export class AuditClient {
  readonly acknowledged: Acknowledged[] = []
  /** Refusals that a client has to expect while parts die, by status and code. */
  readonly refusals = new Map<string, number>()
  readonly #world: Pick<AuditWorld, 'replicas' | 'token'>
  readonly #who: Person
  readonly #agent = new Agent({ connections: 64 })
  #token: { readonly text: string; readonly until: number } | undefined
  #turn: number

  constructor(world: Pick<AuditWorld, 'replicas' | 'token'>, who: Person, turn = 0) {
    this.#world = world
    this.#who = who
    this.#turn = turn
  }

  /** @returns the version, which exists once however often it was asked for */
  async write(name: string, value: string): Promise<number> {
    const { version = 0 } = (await this.insist('PUT', name, value, randomUUID())).body
    this.acknowledged.push({ eventType: 'secret.write', name, version })
    return version
  }

  async read(name: string): Promise<string | undefined> {
    const { version = 0, value } = (await this.insist('GET', name)).body
    this.acknowledged.push({ eventType: 'secret.read', name, version })
    return value
  }

  /** Until it is answered with 2xx; any other answer than one that passes is an error. */
  async insist(method: 'GET' | 'PUT', name: string, value?: string, key?: string): Promise<Answer> {
    for (const end = Date.now() + PATIENCE_MS; ;) {
      const answer = await this.ask(method, name, value, key)
      if (answer.status >= 200 && answer.status < 300) return answer
      const code = `${answer.status} ${answer.body.code ?? ''}`.trim()
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
      // 0: no answer; 409: other writers of the same secret were faster.
      const passes = answer.status === 0 || answer.status === 503 || answer.status === 409
      if (!passes || Date.now() > end) throw new Error(`${method} ${name} was answered ${code}`)
      await pause(20)
    }
  }

  /** Asks the next replica once. Status 0: there was no answer. */
  async ask(method: 'GET' | 'PUT', name: string, value?: string, key?: string): Promise<Answer> {
    const { replicas } = this.#world
    const replica = replicas[(this.#turn += 1) % replicas.length]
    try {
      const answer = await request(`http://127.0.0.1:${replica?.port}/api/secrets/${name}`, {
        method,
        dispatcher: this.#agent,
        signal: inTime(),
        headers: {
          authorization: `Bearer ${await this.#authorise()}`,
          ...(value === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(value === undefined ? {} : { body: JSON.stringify({ value }) }),
      })
      return { status: answer.statusCode, body: (await answer.body.json()) as Answer['body'] }
    } catch {
      return { status: 0, body: {} }
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #authorise(): Promise<string> {
    if (this.#token === undefined || this.#token.until < Date.now()) {
      this.#token = { text: await this.#world.token(this.#who), until: Date.now() + TOKEN_MS }
    }
    return this.#token.text
  }
}

/** Writes and reads until told to stop; a secret that it alone writes must read as it was written last. */
export async function useSecrets(
  client: AuditClient,
  name: string,
  shared: string,
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 1; !signal.aborted; turn += 1) {
    const value = `${name} ${turn}`
    const version = await client.write(name, value)
    if (version !== turn) throw new Error(`write ${turn} of ${name} became version ${version}`)
    const read = await client.read(name)
    if (read !== value) throw new Error(`${name} reads "${read}" after "${value}" was acknowledged`)
    await client.write(shared, value)
  }
}

/** Answers with 2xx that have no record of their own. */
export function withoutRecord(
  acknowledged: readonly Acknowledged[],
  recorded: readonly {
    eventType: string
    outcome: string
    name: string
    version?: number | undefined
  }[],
): Acknowledged[] {
  const left = new Map<string, number>()
  for (const { outcome, ...action } of recorded) {
    if (outcome === 'success') left.set(keyOf(action), (left.get(keyOf(action)) ?? 0) + 1)
  }
  return acknowledged.filter((action) => {
    const count = left.get(keyOf(action)) ?? 0
    left.set(keyOf(action), count - 1)
    return count < 1
  })
}

const keyOf = ({
  eventType,
  name,
  version,
}: {
  eventType: string
  name: string
  version?: number | undefined
}) => `${eventType} ${name}@${version}`
