import type { Deps, Versioned } from '../ports.ts'
import { after, REST, type Next } from '../runtime/controller.ts'
import type { ObjectKey } from '../runtime/types.ts'
import { entryKey, undeliveredSince, without } from './audit-outbox.ts'
import type { StateRecord } from './state.ts'

/**
 * Hands the outbox to the deliveries, which tell it beside the passes, and drops what was taken by now. A crash
 * between taking and dropping tells it once more, which the receiver answers the same.
 */
export async function offerAudit(
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const { outbox, owner } = state.value
  const left = deps.deliveries ? without(outbox, deps.deliveries.taken(owner)) : outbox
  deps.deliveries?.offer(owner, left)
  try {
    if (left.length < outbox.length) await drop(state, left, deps, signal)
  } catch (error) {
    deps.log.warn({ err: error, rotation: owner.name }, 'Could not drop audit entries')
  }
  deps.metrics.undelivered(owner, undeliveredSince(left))
}

/** The end of a resource waits for one attempt; what is not taken is told after it, while its record lasts. */
export async function deliverAudit(
  state: Versioned<StateRecord>,
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  const { outbox, owner } = state.value
  if (outbox.length === 0 || !deps.audit) return
  try {
    await deps.audit.deliver(owner, outbox, signal)
    await drop(state, without(outbox, new Set(outbox.map(entryKey))), deps, signal)
  } catch (error) {
    deps.log.warn({ err: error, rotation: owner.name }, 'Could not deliver audit entries')
  }
}

async function drop(
  { value, cas }: Versioned<StateRecord>,
  outbox: StateRecord['outbox'],
  deps: Deps,
  signal: AbortSignal,
): Promise<void> {
  await deps.failpoint('dropDelivered.before')
  // The number stays: nothing about the credential has changed.
  const written = await deps.states.write(value.owner, { ...value, outbox }, cas, signal)
  await deps.failpoint('dropDelivered.after')
  if (written.kind === 'written') deps.deliveries?.dropped(value.owner)
}

/** For a resource that is gone, refused or in trouble: its record may still hold what nobody was told. Rests when not. */
export async function offerLeftOver(
  key: ObjectKey,
  deps: Deps,
  signal: AbortSignal,
): Promise<Next> {
  if (!deps.deliveries || signal.aborted) return REST
  try {
    const state = await deps.states.read(key, signal)
    if (!state || state.value.outbox.length === 0) return REST
    await offerAudit(state, deps, signal)
  } catch (error) {
    deps.log.warn({ err: error, rotation: key.name }, 'Could not look for audit entries')
  }
  return after(deps.timing.resyncMs)
}
