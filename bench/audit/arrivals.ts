import { Worker } from 'node:worker_threads'

/** Requests in the order in which they were due; milliseconds after that moment. */
export interface Timings {
  /** The generator sent it. What is late here is the generator's own. */
  readonly sent: Float64Array
  /** The event loop of the one that answers took it up. */
  readonly taken: Float64Array
  readonly answered: Float64Array
}

export interface Timetable {
  /** By `clock`. */
  readonly begin: number
  readonly everyMs: number
  readonly count: number
}

/** Due by now and not sent before. */
export interface Arrived {
  readonly first: number
  readonly last: number
  readonly at: number
}

/** Time for the thread to come up. */
const LEAD_MS = 300

/** Milliseconds, the same in all threads, which `performance.now()` is not. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6

/**
 * Requests at a fixed rate, whatever became of those before: one that has to wait for its turn counts as waiting. They
 * come from a thread of their own, as a network would bring them, since timers of the event loop know whole
 * milliseconds and are late when it is busy, which is what they are to measure.
 * @throws whatever a call fails with
 */
export async function openLoop(
  call: (index: number) => Promise<unknown>,
  perSecond: number,
  seconds: number,
): Promise<Timings> {
  const timetable: Timetable = {
    begin: clock() + LEAD_MS,
    everyMs: 1000 / perSecond,
    count: Math.round(perSecond * seconds),
  }
  const { begin, everyMs, count } = timetable
  const column = () => new Float64Array(count)
  const timings = { sent: column(), taken: column(), answered: column() }
  const since = (index: number, moment: number) => moment - (begin + index * everyMs)
  const thread = new Worker(new URL('./arrivals-thread.ts', import.meta.url), {
    workerData: timetable,
  })
  try {
    await new Promise<void>((resolve, reject) => {
      let open = count
      const take = async (index: number, at: number) => {
        timings.sent[index] = since(index, at)
        timings.taken[index] = since(index, clock())
        await call(index)
        timings.answered[index] = since(index, clock())
        if ((open -= 1) === 0) resolve()
      }
      thread.on('error', reject)
      thread.on('message', ({ first, last, at }: Arrived) => {
        for (let index = first; index <= last; index += 1) take(index, at).catch(reject)
      })
    })
  } finally {
    await thread.terminate()
  }
  return timings
}
