import type { AdmissionRule } from './policy.ts'

/**
 * Annotations of the workload itself by which restarts are gathered into one, and the counter that the API server
 * raises in a DaemonSet whose template changes.
 */
const COALESCING =
  "(k in ['palisade.dev/restart-due', 'deprecated.daemonset.template.generation'] || k.startsWith('restart-for.palisade.dev/'))"
const VERSION = "matches('^[0-9]{1,18}$')"

/** CEL: every member but the named ones is as it was, none was added and none dropped. */
const sameBut = (now: string, before: string, except: string) =>
  `${now}.all(k, k == '${except}' || (k in ${before} && ${now}[k] == ${before}[k])) && ${before}.all(k, k == '${except}' || k in ${now})`

/** CEL: the two maps differ at most in keys for which `mayDiffer` holds. */
const sameUnless = (now: string, before: string, mayDiffer: string) =>
  `${now}.all(k, ${mayDiffer} || (k in ${before} && ${now}[k] == ${before}[k])) && ${before}.all(k, ${mayDiffer} || k in ${now})`

const same = (field: string) =>
  `object.metadata.?${field}.orValue(null) == oldObject.metadata.?${field}.orValue(null)`

/** Restarting is all that the operator may do to a workload: it says which version the Pods were started for. */
export const operatorWorkloads: AdmissionRule = {
  name: 'palisade-operator-workloads',
  reason:
    'The operator restarts consumers by an annotation on their Pod template. Images, commands, replicas and everything else stay as their owners wrote them.',
  groups: ['apps'],
  resources: ['deployments', 'statefulsets', 'daemonsets'],
  operations: ['CREATE', 'UPDATE'],
  variables: [
    { name: 'template', expression: 'object.spec.template' },
    { name: 'storedTemplate', expression: 'oldObject.spec.template' },
    { name: 'meta', expression: 'variables.template.?metadata.orValue({})' },
    { name: 'storedMeta', expression: 'variables.storedTemplate.?metadata.orValue({})' },
    { name: 'versions', expression: 'variables.meta.?annotations.orValue({})' },
    { name: 'storedVersions', expression: 'variables.storedMeta.?annotations.orValue({})' },
    { name: 'notes', expression: 'object.metadata.?annotations.orValue({})' },
    { name: 'storedNotes', expression: 'oldObject.metadata.?annotations.orValue({})' },
  ],
  validations: [
    {
      expression: "request.operation == 'UPDATE'",
      message: 'the operator may not make workloads',
      reason: 'Forbidden',
    },
    {
      expression: sameBut('object.spec', 'oldObject.spec', 'template'),
      message: 'the operator may change nothing of spec but annotations of the Pod template',
      reason: 'Forbidden',
    },
    {
      expression: sameBut('variables.template', 'variables.storedTemplate', 'metadata'),
      message: 'the operator may change nothing of spec.template but its annotations',
      reason: 'Forbidden',
    },
    {
      expression: sameBut('variables.meta', 'variables.storedMeta', 'annotations'),
      message: 'the operator may change nothing of spec.template.metadata but annotations',
      reason: 'Forbidden',
    },
    {
      expression: sameUnless(
        'variables.versions',
        'variables.storedVersions',
        "k.startsWith('palisade.dev/')",
      ),
      message: 'the operator may write only Pod template annotations of palisade.dev',
      reason: 'Forbidden',
    },
    {
      expression: `variables.versions.all(k, !k.startsWith('palisade.dev/') || variables.versions[k].${VERSION}) && variables.storedVersions.all(k, !k.startsWith('palisade.dev/') || k in variables.versions)`,
      message:
        'a Pod template annotation of palisade.dev is a version number and stays once it is there',
      reason: 'Invalid',
    },
    {
      expression: `variables.versions.all(k, !k.startsWith('palisade.dev/') || !(k in variables.storedVersions) || !variables.storedVersions[k].${VERSION} || !variables.versions[k].${VERSION} || int(variables.versions[k]) >= int(variables.storedVersions[k]))`,
      message: 'stale fence: the version in a Pod template annotation of palisade.dev only grows',
      reason: 'Invalid',
    },
    {
      expression: sameUnless('variables.notes', 'variables.storedNotes', COALESCING),
      message: 'the operator may write only its own annotations on a workload',
      reason: 'Forbidden',
    },
    {
      expression: ['labels', 'finalizers', 'ownerReferences'].map(same).join(' && '),
      message: 'the operator may not change labels, finalizers or owners of a workload',
      reason: 'Forbidden',
    },
  ],
}
