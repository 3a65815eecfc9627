import { join } from 'node:path'
import { kubeconfigPath, stateDir } from '../paths.ts'

export type Operation = 'up' | 'preview' | 'refresh' | 'destroy' | 'outputs'

/** Everything one run of the engine needs. Secrets are named by file, never carried. */
export interface StackRequest {
  readonly operation: Operation
  /** The program's main file, `infra/index.ts`; relative paths of charts start at its folder. */
  readonly program: string
  readonly project: string
  readonly stack: string
  /** A committed `Pulumi.<stack>.yaml`; its `config` is read and never written. */
  readonly configFile?: string | undefined
  /** Values that this machine computed, such as references of images; they win over the file. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  readonly stateDir: string
  readonly kubeconfig: string
  readonly pulumi: string
  readonly helm: string
  readonly timeoutSeconds: number
  readonly parallel: number
  /** Only these resources and what they need. */
  readonly targets?: readonly string[] | undefined
}

export type StackWish = Pick<StackRequest, 'operation' | 'program' | 'pulumi' | 'helm'> &
  Partial<StackRequest>

const DEFAULT_TIMEOUT_SECONDS = 45 * 60

export const completeRequest = (wish: StackWish): StackRequest => ({
  project: 'palisade',
  stack: 'local',
  stateDir: stateDir(),
  kubeconfig: kubeconfigPath(wish.stateDir ?? stateDir()),
  timeoutSeconds: DEFAULT_TIMEOUT_SECONDS,
  parallel: 32,
  ...wish,
})

/** Where the engine keeps what it knows. */
export const pulumiDir = (request: StackRequest): string => join(request.stateDir, 'pulumi')
