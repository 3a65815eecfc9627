import { LocalError } from '../errors.ts'

export interface ProviderConfig {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly cluster?: string | undefined
  readonly namespace?: string | undefined
  readonly configMapMutable: boolean
  readonly secretMutable: boolean
  readonly patchForce: boolean
}

const UNDERSTOOD = new Set([
  'kubeconfig',
  'context',
  'cluster',
  'namespace',
  'enableConfigMapMutable',
  'enableSecretMutable',
  'enablePatchForce',
  'enableServerSideApply',
  'suppressDeprecationWarnings',
  'suppressHelmHookWarnings',
  'version',
  'pluginDownloadURL',
  '__internal',
])

const isTrue = (value: string | undefined): boolean => value === 'true' || value === '1'

/** Problems of a configuration, each with the key it belongs to; the engine shows them beside the provider. */
export function configProblems(
  values: Readonly<Record<string, unknown>>,
): { key: string; reason: string }[] {
  const problems = Object.keys(values)
    .filter((key) => !UNDERSTOOD.has(key))
    .map((key) => ({
      key,
      reason: `"${key}" is not understood by the stand-in provider; remove it or use the official plugin`,
    }))
  if (String(values.enableServerSideApply) === 'false') {
    problems.push({
      key: 'enableServerSideApply',
      reason:
        'the stand-in provider only knows server-side apply; remove enableServerSideApply: false',
    })
  }
  return problems
}

export function readConfig(
  values: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): ProviderConfig {
  const [problem] = configProblems(values)
  if (problem)
    throw new LocalError('ERR_PROVIDER_CONFIG', problem.reason, 'correct the stack configuration')
  const value = (key: string, variable: string): string | undefined =>
    values[key] || env[variable] || undefined
  return {
    kubeconfig: values.kubeconfig || undefined,
    context: value('context', 'PULUMI_K8S_CONTEXT'),
    cluster: value('cluster', 'PULUMI_K8S_CLUSTER'),
    namespace: values.namespace || undefined,
    configMapMutable: isTrue(
      value('enableConfigMapMutable', 'PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE'),
    ),
    secretMutable: isTrue(value('enableSecretMutable', 'PULUMI_K8S_ENABLE_SECRET_MUTABLE')),
    patchForce: isTrue(value('enablePatchForce', 'PULUMI_K8S_ENABLE_PATCH_FORCE')),
  }
}
