import { NAMESPACES } from '../names.ts'

/** Of a RoleBinding: what lets the operator act in one namespace, rights of the cluster given by name. */
export const operatorBinding = (namespace: string) => ({
  metadata: { name: 'palisade', namespace },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'palisade-namespace',
  },
  subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace: NAMESPACES.system }],
})
