import { entry } from './entry.ts'

/** Configuration and commands. */
export const COMMAND_ERRORS = {
  ERR_CONFIG_INVALID: entry(500, 'The configuration cannot be used', 'correct the named setting'),
  ERR_CONFIG_SOURCE_REFUSED: entry(
    500,
    'This profile does not take settings from there',
    'mount the value as a file or keep it in the secret store',
  ),
  ERR_USAGE: entry(500, 'The command was called wrongly', 'see "palisade help"'),
  ERR_PORT_IN_USE: entry(500, 'A port is taken', 'stop the named process or choose another port'),
  ERR_CLUSTER_UNREACHABLE: entry(
    503,
    'The API server cannot be reached',
    'compare the server and the authority that the kubeconfig names; see that "kubectl get --raw /readyz" answers',
  ),
  ERR_CLUSTER_REFUSED: entry(
    403,
    'The API server refused',
    'run it with a login that may get, create and patch rolebindings in that namespace and bind clusterroles "palisade-namespace", or have it run by whoever has one',
  ),
  ERR_NAMESPACE_MISSING: entry(
    404,
    'The namespace does not exist',
    'make it first, or see that the kubeconfig names the cluster that was meant',
  ),
  ERR_PLATFORM_MISSING: entry(
    404,
    'This cluster has no Palisade',
    'see that the kubeconfig names the cluster of the platform; charts/palisade makes what is missing',
  ),
  ERR_ROLE_BINDING_TAKEN: entry(
    409,
    'The RoleBinding exists and gives something else',
    'see whom it serves, give that under another name, delete it and run this again',
  ),
  ERR_TOOL_MISSING: entry(
    500,
    'A tool is missing',
    'run "make up", which builds it, or put it on the PATH',
  ),
  ERR_TIMED_OUT: entry(
    500,
    'Something did not become ready in time',
    'see the named object, then run the command again',
  ),
  ERR_AUDIT_NO_PROOF: entry(
    500,
    'The log cannot prove this',
    'name records that are sealed in this export; "palisade audit verify" says whether the log itself holds',
  ),
  ERR_AUDIT_RECOVERER_UNFIT: entry(
    403,
    'This login may not decide about the audit log',
    'two people, each under a login of their own in palisade_audit_recoverer: see docs/runbooks/AuditChainBroken.md',
  ),
  ERR_AUDIT_RECOVERY_VOID: entry(
    409,
    'There is nothing to recover in this way',
    'see "palisade audit recover status", and propose it anew for what is there now',
  ),
  ERR_AUDIT_TAMPERED: entry(
    500,
    'The audit log does not prove what it claims',
    'keep the database and the checkpoints as they are and call the incident process',
  ),
  ERR_AUDIT_ARCHIVE_UNUSABLE: entry(
    500,
    'The archive does not hold what it should',
    'nothing was cut; keep the file as it is and archive this part anew with "palisade audit archive"',
  ),
  ERR_AUDIT_CUT_REFUSED: entry(
    500,
    'The database refused to cut the audit log',
    'cut sealed and archived records in the order of the log, older than --keep days (366; less only with --below-minimum, and when the owner of the tables has lowered palisade.retention_floor)',
  ),
  ERR_AUDIT_CUT_WAITS: entry(
    500,
    'The record of the cut is not sealed yet',
    'nothing was taken away; see that the sealer runs, then run the same command again',
  ),
  ERR_MIGRATION_FAILED: entry(
    500,
    'The database could not be migrated',
    'nothing of the failed step stays; mend the cause and run it again',
  ),
} as const
