import { lookup } from 'node:dns/promises'
import type pg from 'pg'
import { PalisadeError } from '#core/problem'

export interface InstanceAddress {
  readonly host: string
  readonly port: number
}

/** Every address behind a name, IPv4 and IPv6. */
export type Resolve = (name: string) => Promise<readonly string[]>

export const resolveAll: Resolve = async (name) =>
  (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address)

/** A server with more than so many instances is a wrong name. */
const MOST_INSTANCES = 32
const RESOLVE_MS = 5_000

export interface EachAnswer<T> {
  readonly instance: string
  /** The server's answer, or what went wrong. */
  readonly answer: PromiseSettledResult<T>
}

/** One small pool per instance, opened when it is asked and dropped when its address goes away. */
export class Instances {
  readonly #at: InstanceAddress
  readonly #connect: (address: string) => pg.Pool
  readonly #resolve: Resolve
  readonly #pools = new Map<string, pg.Pool>()

  constructor(at: InstanceAddress, connect: (address: string) => pg.Pool, resolve: Resolve) {
    this.#at = at
    this.#connect = connect
    this.#resolve = resolve
  }

  /** All of them, at the same time; a name that says nothing is an error, because nobody was asked. */
  async each<T>(ask: (pool: pg.Pool) => Promise<T>): Promise<readonly EachAnswer<T>[]> {
    const addresses = await this.#addresses()
    for (const [address, pool] of this.#pools) {
      if (addresses.includes(address)) continue
      this.#pools.delete(address)
      void pool.end()
    }
    const answers = await Promise.allSettled(addresses.map((one) => ask(this.#poolOf(one))))
    return addresses.map((address, i) => ({
      instance: `${address}:${this.#at.port}`,
      answer: answers[i] ?? { status: 'rejected', reason: undefined },
    }))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()))
  }

  #poolOf(address: string): pg.Pool {
    const known = this.#pools.get(address)
    if (known) return known
    const pool = this.#connect(address)
    this.#pools.set(address, pool)
    return pool
  }

  async #addresses(): Promise<readonly string[]> {
    const { host } = this.#at
    const found = await within(RESOLVE_MS, this.#resolve(host)).catch((cause: unknown) => {
      throw new PalisadeError('ERR_BACKEND_UNREACHABLE', `"${host}" resolves to no instance`, {
        cause,
        remedy: 'correct spec.instances.host of the RotationBackend, or its name server',
      })
    })
    const addresses = [...new Set(found)].sort()
    if (addresses.length > 0 && addresses.length <= MOST_INSTANCES) return addresses
    throw new PalisadeError(
      'ERR_BACKEND_UNREACHABLE',
      `"${host}" resolves to ${addresses.length} addresses`,
      { remedy: 'name the instances of one server in spec.instances.host' },
    )
  }
}

/** A name server that does not answer would hold a pass until its own end. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
