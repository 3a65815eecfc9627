import type {
  V1MatchCondition,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
  V1Validation,
  V1Variable,
} from '@kubernetes/client-node'

export interface AdmissionRule {
  readonly name: string
  /** Why the rule is there; it becomes an annotation, so that `kubectl describe` tells it. */
  readonly reason: string
  readonly groups: readonly string[]
  readonly resources: readonly string[]
  readonly operations: readonly ('CREATE' | 'UPDATE')[]
  readonly variables?: readonly V1Variable[]
  readonly validations: readonly V1Validation[]
}

const LABELS = { 'app.kubernetes.io/part-of': 'palisade' }

/** Judges the account alone: everybody else is the business of RBAC. */
const onlyFor = (account: string): V1MatchCondition => ({
  name: 'is-the-operator',
  expression: `request.userInfo.username == '${account}'`,
})

export function policyFor(account: string, rule: AdmissionRule): V1ValidatingAdmissionPolicy {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: {
      name: rule.name,
      labels: LABELS,
      annotations: { 'palisade.dev/reason': rule.reason },
    },
    spec: {
      // A rule that cannot be evaluated must not become a door.
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [...rule.groups],
            apiVersions: ['v1'],
            operations: [...rule.operations],
            resources: [...rule.resources],
          },
        ],
      },
      matchConditions: [onlyFor(account)],
      ...(rule.variables ? { variables: [...rule.variables] } : {}),
      validations: [...rule.validations],
    },
  }
}

export const bindingFor = (rule: AdmissionRule): V1ValidatingAdmissionPolicyBinding => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name: rule.name, labels: LABELS },
  spec: { policyName: rule.name, validationActions: ['Deny', 'Audit'] },
})
