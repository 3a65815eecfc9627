import { PalisadeError } from '#core/problem'
import type { CheckpointSink } from './ports.ts'

/** What a place answered when it was asked. */
export interface Remembered {
  readonly sink: CheckpointSink
  readonly note: string | undefined
}

export interface Asked {
  readonly answers: readonly Remembered[]
  readonly silent: readonly { readonly sink: CheckpointSink; readonly cause: unknown }[]
}

/** Longer than a request to any place may take; a place that has no limit of its own is bounded by this one. */
const TIMEOUT_MS = 10_000

/** Asks all places at the same moment. One that hangs costs the time limit once, and the answers of the others count. */
export async function askPlaces(
  sinks: readonly CheckpointSink[],
  timeoutMs = TIMEOUT_MS,
): Promise<Asked> {
  const asked = await Promise.allSettled(sinks.map((sink) => within(timeoutMs, sink.newest())))
  const answers: Remembered[] = []
  const silent: { sink: CheckpointSink; cause: unknown }[] = []
  for (const [index, sink] of sinks.entries()) {
    const result = asked[index]
    if (result?.status === 'fulfilled') answers.push({ sink, note: result.value })
    else silent.push({ sink, cause: result?.reason })
  }
  return { answers, silent }
}

/**
 * Whether the database may be believed after it agreed with what was answered. A place that remembers nothing confirms
 * nothing: with one silent and the other emptied, a database that was cut would pass.
 */
export function assertConfirmed({ answers, silent }: Asked): void {
  if (silent.length === 0 || answers.some(({ note }) => note !== undefined)) return
  const names = silent.map(({ sink }) => `"${sink.name}"`).join(' and ')
  throw new PalisadeError(
    'ERR_AUDIT_UNCONFIRMED',
    `${names} did not answer, and no other place remembers a checkpoint`,
  )
}

/** The promise, or a rejection when it takes longer; what it waits for is left to end by itself. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('no answer in time', 'TimeoutError')), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
