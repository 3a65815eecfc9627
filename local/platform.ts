import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { IMAGE_NAMES } from '../infra/config/schema.ts'
import { networkOfNode } from './bare/inside.ts'
import { layoutOf } from './bare/layout.ts'
import { insideKubeconfigPath } from './bare/node.ts'
import { kubeconfigPath, logDir, stateDir } from './paths.ts'
import {
  formatProgress,
  type Operation,
  type Outcome,
  type Progress,
  runStack,
} from './stack/run.ts'
import { STACK_FILE } from './stack-config.ts'
import type { StepContext } from './steps.ts'
import { Throttle } from './throttle.ts'
import { toolPath } from './tools/path.ts'

/** A pod that starts slowly says so several times a second. */
const NOTE_EVERY_MS = 10_000

/** Nothing compiles and nothing starts, so what takes longer than this is stuck. */
const DESTROY_SECONDS = 15 * 60

const ROOT = join(import.meta.dirname, '..')

export const stackLog = (): string => join(logDir(), 'stack.log')

/** Runs the infrastructure program as stack `local`; `config` wins over the committed file. */
export async function runPlatform(
  operation: Operation,
  config: Readonly<Record<string, unknown>>,
  context: StepContext,
): Promise<string> {
  await mkdir(logDir(), { recursive: true, mode: 0o700 })
  const log = createWriteStream(stackLog(), { flags: 'a', mode: 0o600 })
  const record = (line: string): void => {
    log.write(`${new Date().toISOString()} ${line}\n`)
  }
  const notes = new Throttle(NOTE_EVERY_MS)
  // Engine and provider speak gRPC without a password: in there nobody else can speak to them.
  const within = await networkOfNode(stateDir())
  try {
    const outcome = await runStack(
      {
        operation,
        program: join(ROOT, 'infra', 'index.ts'),
        configFile: STACK_FILE,
        config,
        ...(operation === 'destroy' ? { timeoutSeconds: DESTROY_SECONDS } : {}),
        stateDir: stateDir(),
        kubeconfig:
          within.length > 0 ? insideKubeconfigPath(layoutOf(stateDir())) : kubeconfigPath(),
        within,
        pulumi: await toolPath('pulumi'),
        helm: await toolPath('helm'),
      },
      {
        signal: context.signal,
        onLine: (line) => {
          record(line)
          context.note(line)
        },
        onProgress: (progress) => {
          const line = formatProgress(progress)
          record(line)
          if (isTold(progress, notes)) context.note(line.trim())
        },
      },
    )
    return summaryOf(outcome)
  } finally {
    log.end()
    await finished(log)
  }
}

/** All of it is in the log; a terminal gets what ended, and now and then what is being waited for. */
function isTold({ kind, resource }: Progress, notes: Throttle): boolean {
  switch (kind) {
    case 'start':
      return false
    case 'done':
    case 'failed':
      return true
    case 'note':
      return notes.allows(resource, Date.now())
  }
}

/** The program refuses names that it does not know; those are the cluster's, not the platform's. */
export const imageConfig = (images: Readonly<Record<string, string>>): Record<string, unknown> => ({
  'palisade:images': Object.fromEntries(IMAGE_NAMES.map((name) => [name, images[name] ?? ''])),
})

export function summaryOf({ changes }: Pick<Outcome, 'changes'>): string {
  const told = Object.entries(changes).filter(([kind, count]) => kind !== 'same' && count > 0)
  if (told.length === 0) return 'unchanged'
  return told.map(([kind, count]) => `${count} ${kind}`).join(', ')
}
