import { SECRETS } from '../names.ts'
import { isEverywhere, type Rule } from './rule.ts'

/** Vault is in the cluster: who owns the cluster owns the log and what it is compared with. */
const productionHasAPlaceOutside: Rule = ({ profile, audit }) =>
  profile === 'production' && audit.objectStore === undefined
    ? [
        {
          field: 'audit.objectStore',
          cause: 'checkpoints of the audit log would lie in the cluster alone, beside the log',
          remedy:
            'name a bucket outside of the cluster in palisade:audit.objectStore (docs/architecture/audit.md)',
        },
      ]
    : []

const objectStoreIsSomewhere: Rule = ({ audit }) =>
  (audit.objectStore?.cidrs ?? []).filter(isEverywhere).map((cidr) => ({
    field: 'audit.objectStore.cidrs',
    cause: `${cidr} lets the sealer, which signs for the log, reach every address`,
    remedy: 'name the networks of the object store, as a private endpoint has them',
  }))

const credentialIsNotOurs: Rule = ({ audit: { objectStore } }) =>
  objectStore !== undefined &&
  (Object.values<string>(SECRETS).includes(objectStore.secret) ||
    objectStore.secret.endsWith('-tls'))
    ? [
        {
          field: 'audit.objectStore.secret',
          cause: `"${objectStore.secret}" is a Secret that the platform makes`,
          remedy: 'put the credential under another name, such as audit-object-store',
        },
      ]
    : []

export const AUDIT_RULES: readonly Rule[] = [
  productionHasAPlaceOutside,
  objectStoreIsSomewhere,
  credentialIsNotOurs,
]
