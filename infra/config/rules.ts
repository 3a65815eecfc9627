import { SECRETS } from '../names.ts'
import { AUDIT_RULES } from './audit-rules.ts'
import { type ConfigProblem, isEverywhere, type Rule } from './rule.ts'
import type { StackConfig } from './schema.ts'
import { STORE_RULES } from './store-rules.ts'

const RESERVED = /^(kube-|palisade-)|^(default|cert-manager|cnpg-system|prometheus-operator)$/

const productionImagesCarryDigests: Rule = ({ profile, images }) =>
  profile !== 'production'
    ? []
    : Object.entries(images)
        .filter(([, reference]) => !/@sha256:[0-9a-f]{64}$/.test(reference))
        .map(([name, reference]) => ({
          field: `images.${name}`,
          cause: `"${reference}" has no digest, so tomorrow it may be something else`,
          remedy: `append @sha256:<digest> to palisade:images.${name}`,
        }))

const proxyProtocolNeedsTrust: Rule = ({ edge }) =>
  edge.proxyProtocol && edge.trustedProxies.length === 0
    ? [
        {
          field: 'edge.trustedProxies',
          cause: 'edge.proxyProtocol is on and no proxy is trusted: anyone could claim any address',
          remedy: 'list the networks of the balancer in palisade:edge.trustedProxies',
        },
      ]
    : []

const nobodyIsTrustedByDefault: Rule = ({ edge }) =>
  edge.trustedProxies.filter(isEverywhere).map((cidr) => ({
    field: 'edge.trustedProxies',
    cause: `${cidr} trusts every address of the internet`,
    remedy: 'name the networks of the balancer',
  }))

const exceptionsHaveARule: Rule = ({ operators }) =>
  operators.mode === 'present' && operators.except.length > 0
    ? [
        {
          field: 'operators.except',
          cause: 'no operator is installed, so there is none to leave out',
          remedy: 'remove it, or set palisade:operators.mode to install',
        },
      ]
    : []

const existingDatabaseIsSomewhere: Rule = ({ postgres }) =>
  (postgres.existing?.cidrs ?? []).filter(isEverywhere).map((cidr) => ({
    field: 'postgres.existing.cidrs',
    cause: `${cidr} lets the pods that hold database credentials reach every address`,
    remedy: 'name the networks in which the provider keeps the database',
  }))

/** On a machine for tries its address may change with each start. */
const apiServerIsSomewhere: Rule = ({ profile, cluster }) =>
  profile === 'dev'
    ? []
    : cluster.apiServer.cidrs.filter(isEverywhere).map((cidr) => ({
        field: 'cluster.apiServer.cidrs',
        cause: `${cidr} lets every pod that asks the API server reach every address`,
        remedy: 'name its addresses: kubectl get endpointslices kubernetes',
      }))

/** The operator writes these itself: a login under such a name would be overwritten by the first rotation. */
const connectionSecretIsNotOurs: Rule = ({ postgres: { existing } }) =>
  existing !== undefined &&
  (Object.values<string>(SECRETS).includes(existing.secret) || existing.secret.endsWith('-tls'))
    ? [
        {
          field: 'postgres.existing.secret',
          cause: `"${existing.secret}" is a Secret that the platform makes`,
          remedy: 'put the connection under another name, such as managed-postgres',
        },
      ]
    : []

const appNamespacesAreNotOurs: Rule = ({ appNamespaces }) =>
  appNamespaces
    .filter((name) => RESERVED.test(name))
    .map((name) => ({
      field: 'appNamespaces',
      cause: `"${name}" belongs to the cluster or to the platform`,
      remedy: 'remove it: the platform opens its own namespaces by itself',
    }))

const productionHasCopies: Rule = ({ profile, gateway, edge, postgres, openbao, operator }) =>
  profile !== 'production'
    ? []
    : (
        [
          ['gateway.replicas', gateway.replicas, 2],
          ['edge.replicas', edge.replicas, 2],
          // How many copies an existing database has is its provider's to say.
          ['postgres.instances', postgres.existing ? 3 : postgres.instances, 3],
          ['openbao.replicas', openbao.replicas, 3],
          ['operator.replicas', operator.replicas, 2],
        ] as const
      )
        .filter(([, have, need]) => have < need)
        .map(([field, have, need]) => ({
          field,
          cause: `profile production needs at least ${need}, this says ${have}`,
          remedy: `set palisade:${field} to ${need} or more`,
        }))

const productionEncryptsItsVolumes: Rule = ({ profile, cluster }) =>
  profile !== 'production'
    ? []
    : [
        ...(cluster.storageClass === undefined
          ? [
              {
                field: 'cluster.storageClass',
                cause: 'profile production names the class of its volumes',
                remedy: 'set palisade:cluster.storageClass to a class that encrypts',
              },
            ]
          : []),
        ...(cluster.storageIsEncrypted === true
          ? []
          : [
              {
                field: 'cluster.storageIsEncrypted',
                cause: 'nobody says that the volumes are encrypted, and Kubernetes cannot see it',
                remedy:
                  'read the parameters of the storage class, then set palisade:cluster.storageIsEncrypted to true',
              },
            ]),
      ]

const RULES: readonly Rule[] = [
  ...STORE_RULES,
  ...AUDIT_RULES,
  productionImagesCarryDigests,
  productionHasCopies,
  productionEncryptsItsVolumes,
  proxyProtocolNeedsTrust,
  nobodyIsTrustedByDefault,
  existingDatabaseIsSomewhere,
  apiServerIsSomewhere,
  connectionSecretIsNotOurs,
  exceptionsHaveARule,
  appNamespacesAreNotOurs,
]

/** Every problem at once: whoever mends one line should not meet the next one a minute later. */
export const judge = (config: StackConfig): readonly ConfigProblem[] =>
  RULES.flatMap((rule) => rule(config))
