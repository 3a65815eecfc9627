import type { RotationReason as ConditionReason } from '#api/v1alpha1/conditions'
import type { Holder } from '#api/v1alpha1/secret-rotation-status'
import type { WorkloadPatch } from '../ports.ts'
import type { InFlight, RotationReason } from './state.ts'

/** The steps that reach outside by themselves, in the order in which a rotation takes them. */
export type EffectStep =
  | 'setVerifier'
  | 'testLogin'
  | 'publishValue'
  | 'publishSecret'
  | 'disable'
  | 'terminate'
  | 'enable'
  | 'destroyVerifier'
  | 'destroyValue'
  | 'dropPrevious'

export interface Waiting {
  readonly do: 'wait'
  readonly reason: ConditionReason
  readonly message: string
  readonly ms: number
  /** True where waiting mends nothing by itself and a person should look. */
  readonly stalled?: boolean
  readonly holders?: readonly Holder[]
}

/** What this pass does: one thing. */
export type Plan =
  | Waiting
  | { readonly do: 'begin'; readonly why: RotationReason; readonly role: string }
  | { readonly do: EffectStep }
  /** Only remembers something, so that the next pass can go on from it. */
  | { readonly do: 'noteQuiet'; readonly since: string | undefined }
  | { readonly do: 'noteRestart'; readonly workload: string }
  | {
      readonly do: 'goOn'
      readonly to: 'disable' | 'enable' | 'destroyVerifier'
      readonly note: string
      /** Who was refused, for the passes to come. */
      readonly refused?: InFlight['refused']
    }
  | { readonly do: 'complete' }
  | { readonly do: 'rollBack'; readonly note: string }
  | { readonly do: 'restart'; readonly patch: WorkloadPatch; readonly restarts: boolean }
  | { readonly do: 'keepUp'; readonly ms: number }
