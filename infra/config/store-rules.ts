import { isEverywhere, type Rule } from './rule.ts'

const OUTSIDE = ['transit', 'awskms', 'gcpckms', 'azurekeyvault'] as const

const sealMustOutliveTheCluster: Rule = ({ profile, openbao }) =>
  profile === 'production' && openbao.seal === 'static'
    ? [
        {
          field: 'openbao.seal',
          cause:
            'profile production refuses seal "static": its key would live beside what it seals',
          remedy: `set palisade:openbao.seal to ${OUTSIDE.join(', ')}`,
        },
      ]
    : []

const sealIsDescribedOnce: Rule = ({ openbao }) => [
  ...OUTSIDE.filter((seal) => seal === openbao.seal && openbao[seal] === undefined).map((seal) => ({
    field: `openbao.${seal}`,
    cause: `seal "${seal}" is chosen and its key is not described`,
    remedy: `add palisade:openbao.${seal}`,
  })),
  ...OUTSIDE.filter((seal) => seal !== openbao.seal && openbao[seal] !== undefined).map((seal) => ({
    field: `openbao.${seal}`,
    cause: `it is described and seal "${openbao.seal}" is chosen`,
    remedy: `remove it, or set palisade:openbao.seal to ${seal}`,
  })),
]

const sealCanBeReached: Rule = ({ openbao }) =>
  openbao.seal !== 'static' && openbao.sealEgress.length === 0
    ? [
        {
          field: 'openbao.sealEgress',
          cause: 'every connection is denied that is not named, so the store could never be opened',
          remedy: `list networks and port of the ${openbao.seal} service in palisade:openbao.sealEgress`,
        },
      ]
    : []

/** The pods that hold the whole store may reach these addresses. */
const sealIsSomewhere: Rule = ({ openbao }) =>
  openbao.sealEgress
    .flatMap(({ cidrs }) => cidrs)
    .filter(isEverywhere)
    .map((cidr) => ({
      field: 'openbao.sealEgress',
      cause: `${cidr} lets the secret store reach every address`,
      remedy: 'name the networks of the key service, as a private endpoint has them',
    }))

const storeNodesHaveAMajority: Rule = ({ openbao }) =>
  openbao.replicas % 2 === 1
    ? []
    : [
        {
          field: 'openbao.replicas',
          cause: `${openbao.replicas} nodes survive no more losses than ${openbao.replicas - 1}`,
          remedy: 'set palisade:openbao.replicas to 1, 3 or 5',
        },
      ]

export const STORE_RULES: readonly Rule[] = [
  sealMustOutliveTheCluster,
  sealIsDescribedOnce,
  sealCanBeReached,
  sealIsSomewhere,
  storeNodesHaveAMajority,
]
