import type { Deps, Versioned } from '../ports.ts'
import { withoutDelivered } from './audit-outbox.ts'
import type { StateRecord } from './state.ts'

/** Never in the way of a rotation: what is not taken today is offered again, and its age is a metric. */
export async function deliverAudit(
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const { outbox, owner } = state.value
  if (outbox.length === 0 || !deps.audit) return
  try {
    await deps.audit.deliver(owner, outbox, signal)
    // The number stays: nothing about the credential has changed.
    const next = { ...state.value, outbox: withoutDelivered(outbox, outbox) }
    await deps.states.write(owner, next, state.cas, signal)
  } catch (error) {
    deps.log.warn({ err: error, rotation: owner.name }, 'Could not deliver audit entries')
  }
}
