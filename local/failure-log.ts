import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { logDir } from './paths.ts'
import type { Step } from './steps.ts'

/**
 * A step whose programs keep no log of their own, such as a compiler. When it fails, all that they said is kept there:
 * the terminal gets the last lines of it alone.
 */
export function withFailureLog(step: Step): Step {
  const log = join(logDir(), `${step.name.replaceAll(' ', '-')}.log`)
  return {
    ...step,
    log,
    run: async (context) => {
      try {
        return await step.run(context)
      } catch (error) {
        if (!context.signal.aborted) await keep(log, wordsOf(error))
        throw error
      }
    },
  }
}

/** A disk that takes no log may be why the step failed, and that is what has to be told. */
async function keep(log: string, words: string): Promise<void> {
  try {
    await mkdir(logDir(), { recursive: true, mode: 0o700 })
    await writeFile(log, `${new Date().toISOString()}\n${words}\n`, { mode: 0o600 })
  } catch {
    return
  }
}

/** What happened, why, and every word of the program that ended: `exec` quotes the end of them. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string }
  const said = [error.stack ?? error.message, stdout, stderr].filter((text) => text !== '')
  return [...said, ...(error.cause === undefined ? [] : [wordsOf(error.cause)])].join('\n')
}
