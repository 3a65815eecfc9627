const ACCOUNT = { kind: 'ServiceAccount', name: 'operator', namespace: 'palisade-system' }

/** Of a RoleBinding: what lets the operator act in one namespace, rights of the cluster given by name. */
export const operatorBinding = (namespace: string) => ({
  metadata: { name: 'palisade', namespace },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'palisade-namespace',
  },
  subjects: [ACCOUNT],
})

/** The same as an object of the API, to be applied as it is. */
export const operatorBindingManifest = (namespace: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  ...operatorBinding(namespace),
})

/** The same, to be run by a person who may bind that ClusterRole. */
export function bindingCommand(namespace: string): string {
  const { metadata, roleRef } = operatorBinding(namespace)
  const account = `${ACCOUNT.namespace}:${ACCOUNT.name}`
  return `kubectl -n ${namespace} create rolebinding ${metadata.name} --clusterrole=${roleRef.name} --serviceaccount=${account}`
}
