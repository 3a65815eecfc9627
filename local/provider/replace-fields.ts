import type { ProviderConfig } from './config.ts'
import { groupOf } from './kubernetes/object.ts'
import type { Path } from './values.ts'

/**
 * Fields whose change means a new object, by `group/Kind`. They agree with the official provider's
 * choice, so that a stack may move between the two; the API server may name more while planning.
 */
const BY_KIND: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['spec.selector'],
  'apps/DaemonSet': ['spec.selector'],
  'apps/StatefulSet': [
    'spec.podManagementPolicy',
    'spec.revisionHistoryLimit',
    'spec.selector',
    'spec.serviceName',
    'spec.volumeClaimTemplates',
  ],
  'batch/Job': ['spec.completions', 'spec.parallelism', 'spec.selector', 'spec.template'],
  'rbac.authorization.k8s.io/RoleBinding': ['roleRef'],
  'rbac.authorization.k8s.io/ClusterRoleBinding': ['roleRef'],
  'storage.k8s.io/StorageClass': ['parameters', 'provisioner'],
  '/PersistentVolumeClaim': [
    'spec.accessModes',
    'spec.selector',
    'spec.storageClassName',
    'spec.volumeName',
    'spec.resources',
  ],
  '/Pod': ['spec'],
  '/ResourceQuota': ['spec.scopes'],
  '/Service': ['spec.clusterIP'],
}

const ALWAYS = ['metadata.name', 'metadata.namespace', 'kind']

function ofData(kind: string, config: ProviderConfig): readonly string[] {
  if (kind === '/ConfigMap') return config.configMapMutable ? [] : ['data', 'binaryData']
  if (kind === '/Secret') return config.secretMutable ? ['type'] : ['type', 'data', 'stringData']
  return []
}

/** True where a change at `path` cannot be made to the object that exists. */
export function needsReplacement(
  object: { apiVersion: string; kind: string },
  path: Path,
  config: ProviderConfig,
): boolean {
  const kind = `${groupOf(object.apiVersion)}/${object.kind}`
  const fields = [...ALWAYS, ...(BY_KIND[kind] ?? []), ...ofData(kind, config)]
  const dotted = path.join('.')
  return fields.some((field) => dotted === field || dotted.startsWith(`${field}.`))
}
