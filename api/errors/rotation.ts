import { entry } from './entry.ts'

/** What a condition of a rotation may say. */
export const ROTATION_ERRORS = {
  ERR_NAMESPACE_NOT_ENABLED: entry(
    403,
    'The namespace has not opted in',
    'run "palisade enable <namespace>" with a platform role',
  ),
  ERR_NOT_ENROLLED: entry(
    403,
    'The roles are not enrolled for this namespace',
    'enrol both roles for the namespace (migrator, palisade_fence.enrol)',
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
    'check the policy palisade-ns-<namespace> and the role of the same name',
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
} as const
