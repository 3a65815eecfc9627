import { Agent, request } from 'undici'
import { inTime } from './child.ts'

export interface SteadyWish {
  readonly url: string
  readonly headers: () => Promise<Readonly<Record<string, string>>>
  readonly perSecond: number
  readonly seconds: number
}

export interface SteadyResult {
  /** From the moment at which each was to be sent, in ms, ascending: who had to wait for its turn waited, too. */
  readonly latencies: readonly number[]
  /** Answers that were not 200, by status; 0: none came. */
  readonly refused: Readonly<Record<string, number>>
}

/** A client that asks at fixed times whether or not the last answer is there, and counts from those times. */
export async function askSteadily(wish: SteadyWish): Promise<SteadyResult> {
  const agent = new Agent({ connections: 32 })
  const latencies: number[] = []
  const refused: Record<string, number> = {}
  const total = wish.perSecond * wish.seconds
  const gap = 1_000 / wish.perSecond
  const begun = performance.now()
  const asked: Promise<void>[] = []
  const ask = async (due: number) => {
    const headers = await wish.headers()
    const signal = inTime()
    const status = await request(wish.url, { dispatcher: agent, headers, signal }).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return statusCode
      },
      () => 0,
    )
    latencies.push(performance.now() - due)
    if (status !== 200) refused[status] = (refused[status] ?? 0) + 1
  }
  while (asked.length < total) {
    const due = begun + asked.length * gap
    const left = due - performance.now()
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left))
    asked.push(ask(due))
  }
  await Promise.all(asked)
  await agent.destroy()
  return { latencies: latencies.sort((a, b) => a - b), refused }
}

export const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.ceil(share * ascending.length) - 1)] ?? 0
