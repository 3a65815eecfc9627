import { entry } from './entry.ts'

/** Configuration and commands. */
export const COMMAND_ERRORS = {
  ERR_CONFIG_INVALID: entry(
    500,
    'The configuration cannot be used',
    'correct the named setting; docs/reference lists them all',
  ),
  ERR_CONFIG_SOURCE_REFUSED: entry(
    500,
    'This profile does not take settings from there',
    'mount the value as a file or keep it in the secret store',
  ),
  ERR_USAGE: entry(500, 'The command was called wrongly', 'see "palisade help"'),
  ERR_NOT_ROOT: entry(
    500,
    'This needs root',
    'run it as root: it makes namespaces, mounts and cgroups',
  ),
  ERR_PORT_IN_USE: entry(500, 'A port is taken', 'stop the named process or choose another port'),
  ERR_DISK_FULL: entry(
    500,
    'There is not enough disk space',
    'free the named amount or point XDG_CACHE_HOME elsewhere',
  ),
  ERR_TOOL_MISSING: entry(
    500,
    'A tool is missing',
    'run "make up", which builds it, or put it on the PATH',
  ),
  ERR_TOOL_BUILD_FAILED: entry(
    500,
    'A tool could not be built',
    'read the named log; a broken cache is mended by "make down ARGS=--purge"',
  ),
  ERR_IMAGE_BUILD_FAILED: entry(
    500,
    'An image could not be built',
    'read the named log, then run "make up" again: finished parts are kept',
  ),
  ERR_STEP_FAILED: entry(
    500,
    'A step did not finish',
    'read the named log, then run the command again: it goes on where it stopped',
  ),
  ERR_TIMED_OUT: entry(
    500,
    'Something did not become ready in time',
    'see the named object, then run the command again',
  ),
  ERR_STACK_CONFIG_INVALID: entry(
    500,
    'The stack configuration is not valid',
    'correct the named key in Pulumi.<stack>.yaml',
  ),
  ERR_POLICY_VIOLATION: entry(
    500,
    'A rule of the policy pack is broken',
    'mend the named resource or record a dated exception',
  ),
  ERR_AUDIT_NO_PROOF: entry(
    500,
    'The log cannot prove this',
    'name records that are sealed in this export; "palisade audit verify" says whether the log itself holds',
  ),
  ERR_AUDIT_TAMPERED: entry(
    500,
    'The audit log does not prove what it claims',
    'keep the database and the checkpoints as they are and call the incident process',
  ),
  ERR_MIGRATION_FAILED: entry(
    500,
    'The database could not be migrated',
    'nothing of the failed step stays; mend the cause and run it again',
  ),
} as const
