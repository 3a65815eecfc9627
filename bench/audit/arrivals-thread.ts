import { parentPort, workerData } from 'node:worker_threads'
import { type Arrived, clock, type Timetable } from './arrivals.ts'
import { block } from './block.ts'

/** Sleeps until the next request is due and sends it, with those that came due while this thread did not run. */
const { begin, everyMs, count } = workerData as Timetable

for (let next = 0; next < count;) {
  const early = begin + next * everyMs - clock()
  if (early > 0) {
    block(early)
    continue
  }
  const at = clock()
  const last = Math.min(count - 1, Math.floor((at - begin) / everyMs))
  parentPort?.postMessage({ first: next, last, at } satisfies Arrived)
  next = last + 1
}
