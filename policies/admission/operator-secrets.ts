import { ANNOTATION_SEQ, LABEL_ROTATION, SECRETS_POLICY, STALE_FENCE } from '#api/v1alpha1/names'
import type { AdmissionRule } from './policy.ts'

const label = (object: string) => `${object}.metadata.?labels[?'${LABEL_ROTATION}'].orValue('')`
const seq = (object: string) => `${object}.metadata.?annotations[?'${ANNOTATION_SEQ}'].orValue('')`

/**
 * The fence in front of published Secrets: admission sees the stored object, so a replica that was overtaken
 * cannot put back an older value, whatever it believes.
 */
export const operatorSecrets: AdmissionRule = {
  name: SECRETS_POLICY,
  reason:
    'The operator writes only Secrets of its rotations and never an older value over a newer one. A patch answers with the object, so writing to others would also be reading them.',
  groups: [''],
  resources: ['secrets'],
  operations: ['CREATE', 'UPDATE'],
  variables: [
    { name: 'rotation', expression: label('object') },
    { name: 'seq', expression: seq('object') },
    { name: 'storedRotation', expression: `oldObject == null ? '' : ${label('oldObject')}` },
    { name: 'storedSeq', expression: `oldObject == null ? '' : ${seq('oldObject')}` },
  ],
  validations: [
    {
      expression: "variables.rotation != ''",
      message: `the operator may write only Secrets with the label ${LABEL_ROTATION}`,
      reason: 'Forbidden',
    },
    {
      // The label must have been there before: otherwise a patch that adds it would take over any Secret.
      expression: 'oldObject == null || variables.storedRotation == variables.rotation',
      messageExpression: `"this Secret is not of rotation '" + variables.rotation + "'; its label ${LABEL_ROTATION} is '" + variables.storedRotation + "'"`,
      message: 'this Secret belongs to no rotation or to another one',
      reason: 'Forbidden',
    },
    {
      expression: "variables.seq.matches('^[0-9]{1,18}$')",
      message: `the annotation ${ANNOTATION_SEQ} must stay, and be a number`,
      reason: 'Invalid',
    },
    {
      expression:
        "!variables.seq.matches('^[0-9]{1,18}$') || !variables.storedSeq.matches('^[0-9]{1,18}$') || int(variables.seq) >= int(variables.storedSeq)",
      messageExpression: `"${STALE_FENCE} ${ANNOTATION_SEQ} is " + variables.storedSeq + " and cannot go back to " + variables.seq`,
      message: `${STALE_FENCE} ${ANNOTATION_SEQ} only grows`,
      reason: 'Invalid',
    },
    {
      expression:
        "!has(object.type) || !(object.type.startsWith('kubernetes.io/service-account') || object.type.startsWith('bootstrap.kubernetes.io/'))",
      message: 'the operator may not write Secrets that grant access to the cluster',
      reason: 'Forbidden',
    },
  ],
}
