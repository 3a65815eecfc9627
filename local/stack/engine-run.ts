import { pathToFileURL } from 'node:url'
import { dirname } from 'node:path'
import type { EngineEvent, OutputMap, Stack } from '@pulumi/pulumi/automation/index.js'
import { removeCutOff } from './cut-off.ts'
import { clearStaleLocks } from './locks.ts'
import { ProgressReader, type Progress } from './progress.ts'
import type { ProviderProcess } from './provider-process.ts'
import { repairPending } from './repair.ts'
import type { StackRequest } from './request.ts'
import { openStack } from './workspace.ts'

export interface Outcome {
  /** Steps by kind: create, update, same, delete, replace. */
  readonly changes: Readonly<Record<string, number>>
  /** Exports of the program, when they were asked for; secret ones are left out. */
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

/** The SDK starts the engine three times more after a run, for outputs nobody reads here and changes that events told. */
function askNothingAfterwards(stack: Stack): void {
  stack.outputs = () => Promise.resolve({})
  stack.info = () => Promise.resolve(undefined)
}

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
  if (request.operation === 'outputs') {
    return { changes: {}, outputs: withoutSecrets(await stack.outputs()) }
  }
  askNothingAfterwards(stack)
  switch (request.operation) {
    case 'up':
      await stack.up(options)
      break
    case 'preview':
      await stack.preview({ ...options, diff: true })
      break
    case 'refresh':
      await stack.refresh(options)
      break
    case 'destroy':
      await stack.destroy(options)
      break
  }
  return { changes: reader.changes, outputs: {} }
}

/** One run of the engine in this process. The program is loaded once, so each run needs a process of its own. */
export async function runEngine(
  request: StackRequest,
  starting: Promise<ProviderProcess>,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Outcome> {
  // As with the language host: a program's relative paths start at the folder of its main file.
  process.chdir(dirname(request.program))
  try {
    const stale = await clearStaleLocks(request, reporter.say)
    if (stale > 0) reporter.say(`removed ${stale} locks of an interrupted run`)
    const cutOff = await removeCutOff(request)
    if (cutOff > 0)
      reporter.say(`removed ${cutOff} files that an interrupted run had not written to the end`)
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
