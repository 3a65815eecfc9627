import { pathToFileURL } from 'node:url'
import { dirname } from 'node:path'
import type { EngineEvent, Stack } from '@pulumi/pulumi/automation/index.js'
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

async function publicOutputs(stack: Stack): Promise<Record<string, unknown>> {
  const all = Object.entries(await stack.outputs())
  return Object.fromEntries(
    all.filter(([, one]) => !one.secret).map(([key, one]) => [key, one.value as unknown]),
  )
}

async function carryOut(
  stack: Stack,
  request: StackRequest,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Outcome['changes']> {
  const reader = new ProgressReader(reporter.progress)
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
    case 'up':
      return (await stack.up(options)).summary.resourceChanges ?? {}
    case 'preview':
      return (await stack.preview({ ...options, diff: true })).changeSummary
    case 'refresh':
      return (await stack.refresh(options)).summary.resourceChanges ?? {}
    case 'destroy':
      return (await stack.destroy(options)).summary.resourceChanges ?? {}
    case 'outputs':
      return {}
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
  const provider = await startProvider(request)
  try {
    const stack = await openStack(request, program(request.program), provider.port)
    if (request.operation !== 'outputs') await repairPending(stack, request, reporter.say)
    const changes = await carryOut(stack, request, reporter, signal)
    return { changes, outputs: await publicOutputs(stack) }
  } finally {
    provider.stop()
  }
}
