import { join } from 'node:path'
import { kubeconfigPath, stateDir } from '../paths.ts'

export type Operation = 'up' | 'preview' | 'refresh' | 'destroy' | 'outputs'

/** Which stack, and where its state lies. */
export interface StackPlace {
  readonly project: string
  readonly stack: string
  readonly stateDir: string
}

/** Everything one run of the engine needs. Secrets are named by file, never carried. */
export interface StackRequest extends StackPlace {
  readonly operation: Operation
  /** The program's main file, `infra/index.ts`; relative paths of charts start at its folder. */
  readonly program: string
  /** A committed `Pulumi.<stack>.yaml`; its `config` is read and never written. */
  readonly configFile?: string | undefined
  /** Values that this machine computed, such as references of images; they win over the file. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  readonly kubeconfig: string
  readonly pulumi: string
  readonly helm: string
  readonly timeoutSeconds: number
  readonly parallel: number
  /** How long an engine whose caller was killed may take to end. */
  readonly lockPatienceSeconds: number
  /** What stands before the engine's process so that its ports open where no other user can knock. */
  readonly within?: readonly string[] | undefined
  /** Only these resources and what they need. */
  readonly targets?: readonly string[] | undefined
}

export type StackWish = Pick<StackRequest, 'operation' | 'program' | 'pulumi' | 'helm'> &
  Partial<StackRequest>

const DEFAULT_TIMEOUT_SECONDS = 45 * 60

/** The stack that `make up` makes on this machine. */
export const localStack = (): StackPlace => ({
  project: 'palisade',
  stack: 'local',
  stateDir: stateDir(),
})

export const completeRequest = (wish: StackWish): StackRequest => ({
  ...localStack(),
  kubeconfig: kubeconfigPath(wish.stateDir ?? stateDir()),
  timeoutSeconds: DEFAULT_TIMEOUT_SECONDS,
  parallel: 32,
  lockPatienceSeconds: 90,
  ...wish,
})

/** Where the engine keeps what it knows. */
export const pulumiDir = ({ stateDir }: StackPlace): string => join(stateDir, 'pulumi')
