import type { Rule } from '../rule.ts'

/** Nothing outside knows of the new value yet, so stopping here harms nobody. */
export const suspendedBeforePublication: Rule = ({ rotation, state }, _now, { resyncMs }) => {
  const flight = state.value.rotation
  if (!flight || !rotation.spec.suspend) return undefined
  if (flight.step !== 'setVerifier' && flight.step !== 'testLogin') return undefined
  return {
    do: 'wait',
    reason: 'Suspended',
    message: `Rotation to version ${flight.version} stands before its publication`,
    ms: resyncMs,
  }
}

export const stepIsDue: Rule = ({ state }) => {
  const step = state.value.rotation?.step
  return step === undefined || step === 'converge' || step === 'watch' ? undefined : { do: step }
}
