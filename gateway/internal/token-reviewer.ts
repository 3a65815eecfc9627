import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { PalisadeError } from '#core/problem'

export interface ApiServerPlace {
  readonly url: string
  /** Holds `token`, which the kubelet replaces, and `ca.crt`, as in a projected volume. */
  readonly directory: string
}

/** What the API server says of a token: whose it is, or that it is nobody's for our audience. */
export type Review =
  { readonly kind: 'account'; readonly name: string } | { readonly kind: 'unknown' }

interface TokenReviewStatus {
  readonly authenticated?: boolean
  readonly user?: { readonly username?: string }
  readonly audiences?: readonly string[]
}

const TIMEOUT_MS = 3_000
const PATH = '/apis/authentication.k8s.io/v1/tokenreviews'

/** Asks the API server, which knows whether account and Pod of a token still exist; a signature alone does not tell. */
export class TokenReviewer {
  readonly #place: ApiServerPlace
  readonly #audience: string
  #agent: Promise<Agent> | undefined

  constructor(place: ApiServerPlace, audience: string) {
    this.#place = place
    this.#audience = audience
  }

  async review(token: string): Promise<Review> {
    const { authenticated, user, audiences } = await this.#ask(token)
    // An authenticator that knows no audiences answers without them: such a token was made for anybody.
    const ours = authenticated === true && audiences?.includes(this.#audience) === true
    const name = user?.username ?? ''
    return ours && name !== '' ? { kind: 'account', name } : { kind: 'unknown' }
  }

  async close(): Promise<void> {
    await (await this.#agent?.catch(() => undefined))?.destroy()
  }

  async #ask(token: string): Promise<TokenReviewStatus> {
    const agent = (this.#agent ??= this.#connect())
    try {
      // Together: a rejection of the one that nobody waits for yet would end the process.
      const [dispatcher, own] = await Promise.all([
        agent,
        readFile(join(this.#place.directory, 'token'), 'utf8'),
      ])
      const answer = await request(new URL(PATH, this.#place.url), {
        method: 'POST',
        dispatcher,
        headers: { authorization: `Bearer ${own.trim()}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [this.#audience] },
        }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      // The answer repeats the token, so of a refusal nothing but its number is kept.
      const text = await answer.body.text()
      if (answer.statusCode >= 300) throw unrecognisable(`answered ${answer.statusCode}`)
      return (JSON.parse(text) as { status?: TokenReviewStatus }).status ?? {}
    } catch (error) {
      this.#forget(agent)
      throw error instanceof PalisadeError ? error : unrecognisable('did not answer', error)
    }
  }

  /** Another authority may be mounted by now: the next question connects anew, those under way end by themselves. */
  #forget(agent: Promise<Agent>): void {
    if (this.#agent !== agent) return
    this.#agent = undefined
    agent.then((old) => old.close()).catch(() => undefined)
  }

  async #connect(): Promise<Agent> {
    const ca = await readFile(join(this.#place.directory, 'ca.crt'), 'utf8')
    return new Agent({ connect: { ca, timeout: TIMEOUT_MS }, connections: 8 })
  }
}

const unrecognisable = (what: string, cause?: unknown) =>
  new PalisadeError(
    'ERR_CALLER_UNRECOGNISABLE',
    `the API server ${what} when it was asked whose token this is`,
    cause === undefined ? {} : { cause },
  )
