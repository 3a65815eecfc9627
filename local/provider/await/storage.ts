import { at, text } from '../values.ts'
import { failed, READY, waiting, type Check } from './readiness.ts'

/** A claim whose class binds at first use is as ready as it can be before a pod comes. */
export const persistentVolumeClaim: Check = async (live, api) => {
  const phase = at(live, ['status', 'phase'])
  if (phase === 'Bound') return READY
  if (phase === 'Lost') return failed('its volume is lost')
  const name = text(at(live, ['spec', 'storageClassName']))
  if (name === undefined) return waiting('no volume bound yet')
  const found = await api.find({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', name })
  return found?.volumeBindingMode === 'WaitForFirstConsumer'
    ? READY
    : waiting('no volume bound yet')
}
