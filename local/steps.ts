import { setTimeout as sleep } from 'node:timers/promises'
import { explain } from './errors.ts'

/** What a step may tell while it runs, and what it must listen to. */
export interface StepContext {
  /** One line of progress, printed below the step's name when it takes long. */
  note(message: string): void
  /** Aborted when another step failed or the user pressed Ctrl-C. */
  readonly signal: AbortSignal
}

/** A step of `make up`. It must be safe to run again at any moment, and quick when there is nothing to do. */
export interface Step {
  readonly name: string
  /** Steps that must have ended before this one starts; the others run beside it. */
  readonly needs?: readonly string[]
  /** Where to look when it fails. */
  readonly log?: string
  /** Returns what changed in a few words, or 'unchanged'. */
  run(context: StepContext): Promise<string>
}

export interface Terminal {
  line(text: string): void
  now(): number
}

/** Progress notes of a step that is quick would be noise. */
const QUIET_MS = 3_000

export class StepFailed extends Error {
  override readonly name = 'StepFailed'
  readonly step: Step

  constructor(step: Step, cause: unknown) {
    super(`step "${step.name}" failed`, { cause })
    this.step = step
  }
}

/** Runs every step as soon as what it needs has ended; the first failure stops the rest. */
export async function runSteps(
  steps: readonly Step[],
  terminal: Terminal,
  outer: AbortSignal,
): Promise<void> {
  refuseUnknownNeeds(steps)
  const start = terminal.now()
  const abort = new AbortController()
  const signal = AbortSignal.any([outer, abort.signal])
  const ended = new Map<string, Promise<void>>()

  const runOne = async (step: Step): Promise<void> => {
    await Promise.all((step.needs ?? []).map((name) => ended.get(name) ?? Promise.resolve()))
    signal.throwIfAborted()
    const begun = terminal.now()
    const note = (message: string): void => {
      if (terminal.now() - begun < QUIET_MS) return
      terminal.line(`${clock(terminal.now() - start)}   … ${step.name}: ${message}`)
    }
    try {
      const outcome = await step.run({ note, signal })
      const took = seconds(terminal.now() - begun)
      terminal.line(`${clock(terminal.now() - start)} ✓ ${step.name} (${took}): ${outcome}`)
    } catch (error) {
      if (!signal.aborted) terminal.line(failure(step, error, terminal.now() - start))
      abort.abort()
      throw new StepFailed(step, error)
    }
  }

  for (const step of steps) ended.set(step.name, runOne(step))
  const results = await Promise.allSettled(ended.values())
  const failed = results.filter((result) => result.status === 'rejected')
  // The first to fail is the cause; the others only report that they were stopped.
  const cause = failed.find((r) => r.reason instanceof StepFailed && !isAbort(r.reason.cause))
  if (cause ?? failed[0]) throw (cause ?? failed[0])?.reason
}

function refuseUnknownNeeds(steps: readonly Step[]): void {
  const seen = new Set<string>()
  for (const step of steps) {
    const missing = step.needs?.find((name) => !seen.has(name))
    if (missing !== undefined) throw new Error(`step "${step.name}" needs "${missing}" before it`)
    seen.add(step.name)
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

function failure(step: Step, error: unknown, elapsed: number): string {
  const lines = [`${clock(elapsed)} ✗ ${step.name}`, explain(error)]
  if (step.log) lines.push(`  log: ${step.log}`)
  lines.push('  Run the command again to go on from here; `make down` removes what `make up` made.')
  return lines.join('\n')
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

export const clock = (ms: number): string => {
  const total = Math.floor(ms / 1000)
  return `[${String(Math.floor(total / 60)).padStart(2)}:${String(total % 60).padStart(2, '0')}]`
}

/** Asks again until `probe` answers something, so that waiting always ends with a reason. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  options: { timeoutMs: number; everyMs?: number; context?: StepContext },
): Promise<T> {
  const end = Date.now() + options.timeoutMs
  let last: unknown
  while (Date.now() < end) {
    options.context?.signal.throwIfAborted()
    try {
      const answer = await probe()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    await sleep(options.everyMs ?? 250)
  }
  throw new Error(`${what} did not happen within ${seconds(options.timeoutMs)}`, { cause: last })
}
