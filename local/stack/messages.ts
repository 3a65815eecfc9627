import type { Outcome } from './engine-run.ts'
import type { Progress } from './progress.ts'
import type { StackRequest } from './request.ts'

export type ToChild =
  { readonly kind: 'run'; readonly request: StackRequest } | { readonly kind: 'stop' }

export type FromChild =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'say'; readonly line: string }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | {
      readonly kind: 'failed'
      readonly code: `ERR_${string}`
      readonly detail: string
      readonly remedy: string
    }
