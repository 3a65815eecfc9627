import type { Alert } from '../alert.ts'

const ROTATION_NAME = '{{ $labels.exported_namespace }}/{{ $labels.name }}'

// A scrape has a label "namespace" of its own, so the rotation's becomes exported_namespace.
export const ROTATION: readonly Alert[] = [
  {
    name: 'RotationOverdue',
    expr: 'max by (exported_namespace, name) (palisade_rotation_overdue_seconds{job="operator"}) > 3600',
    for: '5m',
    severity: 'ticket',
    summary: `Rotation ${ROTATION_NAME} is overdue by {{ $value | humanizeDuration }}.`,
    description:
      'The credential still works and is older than its schedule allows. The operator tries again by itself.',
  },
  {
    name: 'RotationStalled',
    expr: 'max by (exported_namespace, name) (palisade_rotation_stalled{job="operator"}) > 0',
    for: '5m',
    severity: 'page',
    summary: `Rotation ${ROTATION_NAME} has stopped and waits for a person.`,
    description:
      'Waiting alone cannot mend it: the operator refuses to go on rather than lock a consumer out.',
  },
  {
    name: 'RotationRefusalsUnseen',
    expr: 'max by (exported_namespace, name) (palisade_rotation_refusals_unseen{job="operator"}) > 0',
    for: '2m',
    severity: 'ticket',
    summary: `Rotation ${ROTATION_NAME} watches a disabled user and cannot read who is refused.`,
    description:
      'A client that still has the previous password is not noticed, and the user is destroyed when its watch ends.',
  },
]
