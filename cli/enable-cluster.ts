import { isDeepStrictEqual } from 'node:util'
import { operatorBindingManifest } from '#core/operator-binding'
import { PalisadeError } from '#core/problem'
import {
  APPLY_PATCH,
  createApiClient,
  type ApiClient,
  type Endpoint,
} from '../operator/runtime/api-client.ts'
import { ApiError, isNotFound } from '../operator/runtime/api-error.ts'
import { noPlatform, otherRole, refusalOf, unreachable } from './enable-refusals.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const MANAGER = 'palisade-enable'

export type Bound = 'created' | 'changed' | 'unchanged'

interface RoleBinding {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects?: readonly object[]
}

/**
 * Lets the operator act in a namespace, by server-side apply. What somebody else has put into a RoleBinding of that name
 * is not taken over: it gives rights to somebody.
 * @throws PalisadeError ERR_CLUSTER_* and ERR_ROLE_BINDING_TAKEN, whose remedy names what is lacking
 */
export async function bindOperator(namespace: string, endpoint: Endpoint): Promise<Bound> {
  const client = createApiClient(endpoint, 'palisade-cli')
  try {
    return await bind(client, namespace)
  } catch (error) {
    if (error instanceof ApiError) throw refusalOf(error, namespace)
    // Without an answer: a socket, a certificate or the time.
    throw error instanceof PalisadeError ? error : unreachable(endpoint.server, error)
  } finally {
    await client.close()
  }
}

async function bind(client: ApiClient, namespace: string): Promise<Bound> {
  const wanted = operatorBindingManifest(namespace)
  const { metadata, roleRef } = wanted
  const path = `${RBAC}/namespaces/${namespace}/rolebindings/${metadata.name}`
  if (await lacks(client, `${RBAC}/clusterroles/${roleRef.name}`)) throw noPlatform(roleRef.name)
  const before = await find(client, path)
  if (before && !isDeepStrictEqual(before.roleRef, roleRef)) {
    throw otherRole(namespace, `${before.roleRef.kind} "${before.roleRef.name}"`)
  }
  const after = await client.call<RoleBinding>('PATCH', path, {
    query: { fieldManager: MANAGER },
    body: wanted,
    contentType: APPLY_PATCH,
  })
  if (!before) return 'created'
  return isDeepStrictEqual(before.subjects, after.subjects) ? 'unchanged' : 'changed'
}

/** Who may bind a role need not be let read it; an administrator, who may bind what is not there, is. */
async function lacks(client: ApiClient, clusterRole: string): Promise<boolean> {
  try {
    await client.call('GET', clusterRole)
    return false
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return false
    if (isNotFound(error)) return true
    throw error
  }
}

async function find(client: ApiClient, path: string): Promise<RoleBinding | undefined> {
  try {
    return await client.call<RoleBinding>('GET', path)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
