import { type Output, yaml } from '#api/gen/write'
import { accountName, admissionPolicies } from '../admission/list.ts'

/** The chart's copy: the account is that of the release. */
export function admissionPoliciesTemplate(): Output {
  const account = accountName('{{ .Release.Namespace }}', 'operator')
  const text = yaml('policies/', ...admissionPolicies(account))
  return {
    path: 'charts/palisade/templates/operator/admission-policies.yaml',
    text: `{{- if .Values.operator.enabled }}\n${text}{{- end }}\n`,
  }
}
