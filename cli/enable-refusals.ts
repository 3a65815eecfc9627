import { operatorBinding } from '#core/operator-binding'
import { PalisadeError } from '#core/problem'
import type { ApiError } from '../operator/runtime/api-error.ts'
import { printable } from './printable.ts'

/** RBAC's own words. */
const LACKS = / cannot (?<verb>[a-z]+) resource "(?<resource>[^"]+)"/
/** Of whoever may write RoleBindings: nobody gives away more than he has, but with the verb `bind`. */
const GIVES_TOO_MUCH = /attempting to grant RBAC permissions not currently held/
const NO_NAMESPACE = /NotFound: namespaces /
const NO_CLUSTER_ROLE = /NotFound: clusterroles?\./
/** An apply without force, or a role that cannot be changed: somebody was faster than what was read. */
const TAKEN = /Apply failed with|cannot change roleRef/

const { metadata, roleRef } = operatorBinding('')

/** What the API server answered, with what its reader can do about it. */
export function refusalOf(error: ApiError, namespace: string): PalisadeError {
  const said = printable(error.message)
  if (NO_NAMESPACE.test(said)) return noNamespace(namespace)
  if (NO_CLUSTER_ROLE.test(said)) return noPlatform(roleRef.name)
  if (TAKEN.test(said)) return taken(namespace, `is somebody else's: ${said}`)
  if (error.status === 403) return forbidden(said, namespace)
  if (error.status === 401) {
    const remedy = 'log in to the cluster anew, or name another kubeconfig'
    return new PalisadeError('ERR_CLUSTER_REFUSED', 'the API server does not know this login', {
      remedy,
    })
  }
  return error.status === 429 || error.status >= 500
    ? new PalisadeError('ERR_CLUSTER_UNREACHABLE', `the API server answered ${said}`)
    : new PalisadeError('ERR_CLUSTER_REFUSED', `the API server answered ${said}`)
}

function forbidden(said: string, namespace: string): PalisadeError {
  const { verb, resource } = LACKS.exec(said)?.groups ?? {}
  if (verb !== undefined && resource !== undefined) {
    return lacking(`${verb} ${resource} in namespace "${namespace}"`)
  }
  return GIVES_TOO_MUCH.test(said)
    ? lacking(`bind clusterroles "${roleRef.name}" in namespace "${namespace}"`)
    : new PalisadeError('ERR_CLUSTER_REFUSED', `the API server answered ${said}`, {
        remedy: 'mend what it names, and run this again',
      })
}

const lacking = (right: string) =>
  new PalisadeError('ERR_CLUSTER_REFUSED', `this login may not ${right}`)

const noNamespace = (namespace: string) =>
  new PalisadeError('ERR_NAMESPACE_MISSING', `there is no namespace "${namespace}"`)

/** A cluster that the caller did not mean, as a rule. */
export const noPlatform = (clusterRole: string) =>
  new PalisadeError('ERR_PLATFORM_MISSING', `there is no ClusterRole "${clusterRole}"`)

export const otherRole = (namespace: string, role: string) =>
  taken(namespace, `gives ${printable(role)}, and nobody can change which role it gives`)

function taken(namespace: string, what: string): PalisadeError {
  const detail = `RoleBinding "${metadata.name}" of namespace "${namespace}" ${what}`
  const at = `-n ${namespace} rolebinding ${metadata.name}`
  return new PalisadeError('ERR_ROLE_BINDING_TAKEN', detail, {
    remedy: `see whom it serves (kubectl get ${at} -o yaml), give that under another name, delete it (kubectl delete ${at}) and run this again`,
  })
}

export const unreachable = (server: string, cause: unknown) => {
  const { code, name } = cause as NodeJS.ErrnoException
  const detail = `the API server at ${printable(server)} gave no answer (${code ?? name})`
  return new PalisadeError('ERR_CLUSTER_UNREACHABLE', detail, { cause })
}
