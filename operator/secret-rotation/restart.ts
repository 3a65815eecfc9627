import { templateAnnotation } from '#api/v1alpha1/names'
import type { Consumer, WorkloadKind, WorkloadPatch } from '../ports.ts'

/** When the restart that several Secrets share is due. It lives on the workload, so it survives the operator. */
const RESTART_DUE = 'palisade.dev/restart-due'
const WAITING_FOR = 'restart-for.palisade.dev/'

export type RestartPlan =
  | { readonly kind: 'patch'; readonly patch: WorkloadPatch; readonly restarts: boolean }
  | { readonly kind: 'wait'; readonly ms: number }

/**
 * One rollout for all Secrets that change within the window: the first one sets the time, later ones join, and
 * whoever comes first after that time moves every waiting version into the template at once.
 */
export function planRestart(
  consumer: Consumer & { readonly kind: WorkloadKind; readonly resourceVersion: string },
  namespace: string,
  secret: string,
  version: number,
  timing: { readonly now: Date; readonly coalesceMs: number },
): RestartPlan {
  const { kind, name, resourceVersion, annotations } = consumer
  const at = { kind, namespace, name, resourceVersion }
  const wanted = String(version)
  const due = Date.parse(annotations[RESTART_DUE] ?? '')
  const joined = annotations[WAITING_FOR + secret] === wanted
  const now = timing.now.getTime()

  if (timing.coalesceMs > 0 && !joined) {
    const dueAt = Number.isNaN(due) ? now + timing.coalesceMs : due
    const wish = { [RESTART_DUE]: new Date(dueAt).toISOString(), [WAITING_FOR + secret]: wanted }
    const patch = { ...at, annotations: wish, templateAnnotations: {} }
    return { kind: 'patch', patch, restarts: false }
  }
  if (timing.coalesceMs > 0 && due > now) return { kind: 'wait', ms: due - now }

  const waiting = Object.entries(annotations).filter(([key]) => key.startsWith(WAITING_FOR))
  const cleared: Record<string, null> = { [RESTART_DUE]: null }
  for (const [key] of waiting) cleared[key] = null
  const versions: Record<string, string> = Object.fromEntries(
    waiting.map(([key, value]) => [templateAnnotation(key.slice(WAITING_FOR.length)), value]),
  )
  const templateAnnotations = { ...versions, [templateAnnotation(secret)]: wanted }
  const patch = { ...at, annotations: waiting.length > 0 ? cleared : {}, templateAnnotations }
  return { kind: 'patch', patch, restarts: true }
}
