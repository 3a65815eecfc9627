import { pathToFileURL } from 'node:url'
import { dirname } from 'node:path'
import type { EngineEvent, OutputMap, Stack } from '@pulumi/pulumi/automation/index.js'
import { clearStaleLocks } from './locks.ts'
import { ProgressReader, type Progress } from './progress.ts'
import { startProvider } from './provider-process.ts'
import { repairPending } from './repair.ts'
import type { StackRequest } from './request.ts'
import { openStack } from './workspace.ts'

export interface Outcome {
  /** Steps by kind: create, update, same, delete, replace. */
  readonly changes: Readonly<Record<string, number>>
  /** Exports of the program; secret ones are left out. */
  readonly outputs: Readonly<Record<string, unknown>>
}

export interface Reporter {
  readonly progress: (progress: Progress) => void
  readonly say: (line: string) => void
}

const program = (path: string) => async (): Promise<Record<string, unknown>> => ({
  ...((await import(pathToFileURL(path).href)) as Record<string, unknown>),
})

const withoutSecrets = (all: OutputMap): Outcome['outputs'] =>
  Object.fromEntries(
    Object.entries(all)
      .filter(([, one]) => !one.secret)
      .map(([key, one]) => [key, one.value as unknown]),
  )

async function carryOut(
  stack: Stack,
  request: StackRequest,
  reader: ProgressReader,
  signal: AbortSignal,
): Promise<Outcome> {
  const options = {
    onEvent: (event: EngineEvent) => reader.read(event),
    onOutput: () => {},
    color: 'never' as const,
    parallel: request.parallel,
    suppressProgress: true,
    signal,
    ...(request.targets ? { target: [...request.targets] } : {}),
  }
  switch (request.operation) {
    case 'up': {
      const { summary, outputs } = await stack.up(options)
      return { changes: summary.resourceChanges ?? {}, outputs: withoutSecrets(outputs) }
    }
    case 'preview':
      return {
        changes: (await stack.preview({ ...options, diff: true })).changeSummary,
        outputs: {},
      }
    case 'refresh':
      return { changes: (await stack.refresh(options)).summary.resourceChanges ?? {}, outputs: {} }
    case 'destroy':
      return { changes: (await stack.destroy(options)).summary.resourceChanges ?? {}, outputs: {} }
    case 'outputs':
      return { changes: {}, outputs: withoutSecrets(await stack.outputs()) }
  }
}

/** One run of the engine in this process. The program is loaded once, so each run needs a process of its own. */
export async function runEngine(
  request: StackRequest,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Outcome> {
  // As with the language host: a program's relative paths start at the folder of its main file.
  process.chdir(dirname(request.program))
  const stale = await clearStaleLocks(request)
  if (stale > 0) reporter.say(`removed ${stale} locks of an interrupted run`)
  // Both start a process and wait for it, so they start together.
  const starting = startProvider(request)
  starting.catch(() => {})
  try {
    const stack = await openStack(request, program(request.program))
    const { port } = await starting
    stack.workspace.envVars.PULUMI_DEBUG_PROVIDERS = `kubernetes:${port}`
    if (request.operation !== 'outputs') await repairPending(stack, request, reporter.say)
    const reader = new ProgressReader(reporter.progress)
    try {
      return await carryOut(stack, request, reader, signal)
    } catch (error) {
      // The engine's whole output is the error's text; what went wrong in it is said in a few lines.
      if (reader.errors.length === 0) throw error
      throw new Error(reader.errors.join('\n'), { cause: error })
    }
  } finally {
    await starting.then((provider) => provider.stop()).catch(() => {})
  }
}
