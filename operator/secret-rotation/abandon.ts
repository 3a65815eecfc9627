import { ANNOTATION_ABANDON } from '#api/v1alpha1/names'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { StateRecord } from './state.ts'

const NONE = 'none'

/** The id that a person names to give a release up: the record's, and what status shows when no store answers. */
const idToAbandon = ({ status }: SecretRotation, state?: StateRecord): string =>
  state?.rotation?.id ?? state?.current?.rotationId ?? status?.rotationId ?? NONE

/** The annotation names one rotation, so that one which was left from an earlier life gives up nothing. */
export function isAbandoned(rotation: SecretRotation, state?: StateRecord): boolean {
  const named = rotation.metadata.annotations?.[ANNOTATION_ABANDON]
  // Status may lag behind the record by one write, and is what the person read.
  return named === idToAbandon(rotation, state) || named === idToAbandon(rotation)
}

export function commandToAbandon(rotation: SecretRotation, state?: StateRecord): string {
  const { name, namespace = '' } = rotation.metadata
  const wish = `${ANNOTATION_ABANDON}=${idToAbandon(rotation, state)}`
  return `kubectl -n ${namespace} annotate --overwrite srot ${name} ${wish}`
}
