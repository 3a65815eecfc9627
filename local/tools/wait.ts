import { setTimeout as sleep } from 'node:timers/promises'
import { isBuilt, plannedPath } from './path.ts'

/** Path of a tool as soon as it is there: another step may be compiling it. */
export const waitForTool =
  (signal: AbortSignal) =>
  async (name: string): Promise<string> => {
    const path = await plannedPath(name)
    while (!(await isBuilt(path))) await sleep(500, undefined, { signal })
    return path
  }
