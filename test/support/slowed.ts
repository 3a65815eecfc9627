import { availableParallelism } from 'node:os'
import { loadNow } from '../../bench/quiet.ts'

/** How many times as long as promised something may take now: promises are about a machine that does nothing else. */
export const slowedBy = (): number => Math.max(1, loadNow() / availableParallelism())
