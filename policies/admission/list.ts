import type {
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
} from '@kubernetes/client-node'
import { operatorSecrets } from './operator-secrets.ts'
import { operatorWorkloads } from './operator-workloads.ts'
import { type AdmissionRule, bindingFor, policyFor } from './policy.ts'

export const RULES: readonly AdmissionRule[] = [operatorSecrets, operatorWorkloads]

/** User name of a ServiceAccount, as the API server says it. */
export const accountName = (namespace: string, name: string) =>
  `system:serviceaccount:${namespace}:${name}`

/** All policies with their bindings, for one account of the operator. */
export const admissionPolicies = (
  account: string,
): readonly (V1ValidatingAdmissionPolicy | V1ValidatingAdmissionPolicyBinding)[] =>
  RULES.flatMap((rule) => [policyFor(account, rule), bindingFor(rule)])
