import { ApiError } from '../../local/provider/kubernetes/api-error.ts'
import { KubeApi } from '../../local/provider/kubernetes/api.ts'
import { connect } from '../../local/provider/kubernetes/connect.ts'
import { keyOf } from '../../local/provider/kubernetes/object.ts'
import type { JsonMap } from '../../local/provider/values.ts'
import type { TestApiServer } from './apiserver.ts'

/** Why the API server would not take an object, with the kind and name in front; empty when it would. */
export type RefusalOf = (manifest: object) => Promise<string>

/**
 * Asks for a server-side apply that changes nothing, where a field that the API server does not know is refused.
 * @param namespace of objects that name none
 */
export async function dryRuns(api: TestApiServer, namespace?: string): Promise<RefusalOf> {
  const kube = new KubeApi(await connect({ kubeconfig: api.kubeconfigPath, namespace }))
  return async (manifest) => {
    const object = manifest as JsonMap
    const key = keyOf(object)
    try {
      await kube.apply(object, key, { fieldManager: 'test', force: false, dryRun: true })
      return ''
    } catch (error) {
      if (error instanceof ApiError) return `${key.kind} ${key.name}: ${error.message}`
      throw error
    }
  }
}
