import { entry } from './entry.ts'

/** What a condition of a rotation may say. */
export const ROTATION_ERRORS = {
  ERR_NAMESPACE_NOT_ENABLED: entry(
    403,
    'The namespace has not opted in',
    'add it to appNamespaces of the stack and apply that; or run "palisade enable <namespace>" twice: as the Job in examples/rotate-postgres-password/platform/2-open.yaml does, for the secret store, and under a kubeconfig, for the cluster',
  ),
  ERR_NOT_ENROLLED: entry(
    403,
    'The roles are not enrolled for this namespace',
    'run "palisade enrol <role_a> <role_b> <group> <database> <namespace>" with the login of palisade_migrator; a pair of another namespace stays there',
  ),
  ERR_CLAIMED_BY_OTHER: entry(
    409,
    'Another resource owns this role, user or path',
    'remove the claim there, or hand it over with palisade.dev/adopt: <uid of the owner>',
  ),
  ERR_STALE_FENCE: entry(
    409,
    'A newer step has been taken meanwhile',
    'nothing to do: this replica stops and reads the state again',
  ),
  ERR_BACKEND_UNREACHABLE: entry(
    503,
    'The backend cannot be reached',
    'check its endpoint, its CA and the network policy towards it',
  ),
  ERR_BACKEND_REFUSED: entry(
    502,
    'The backend refused the operation',
    'compare the rights of its credential with docs/architecture/bootstrap.md',
  ),
  ERR_STORE_UNREACHABLE: entry(
    503,
    'The secret store cannot be reached or is sealed',
    'unseal OpenBao and check the network policy towards it',
  ),
  ERR_STORE_REFUSED: entry(
    403,
    'The secret store refused the path',
    'for a path below apps/, "palisade enable <namespace>" writes the policy palisade-ns-<namespace> and its role again; for others compare the policy palisade-operator',
  ),
  ERR_NEW_VALUE_REFUSED: entry(
    502,
    'The backend refuses the new value',
    'nothing was published; see the login rules of the backend (pg_hba.conf, ACL)',
  ),
  ERR_SECRET_NOT_OURS: entry(
    409,
    'The Secret exists and is not managed by this rotation',
    'delete it or choose another spec.secret.name',
  ),
  ERR_SECRET_INVALID: entry(
    422,
    'The API server does not accept the Secret as the spec describes it',
    'correct spec.secret.template; a Secret whose type is to change is deleted first and comes back',
  ),
} as const
