import type { types } from '@pulumi/kubernetes'
import type { StackConfig } from '../config/schema.ts'
import { NAMESPACES, PORTS } from '../names.ts'
import type { Connection, Peer } from './connections.ts'

export interface PolicyRule {
  readonly name: string
  readonly namespace: string
  readonly spec: types.input.networking.v1.NetworkPolicySpec
}

const peerSelector = ({ namespace, pods }: Peer) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  ...(pods === undefined ? {} : { podSelector: { matchLabels: pods } }),
})
const podSelector = ({ pods }: Peer) => (pods === undefined ? {} : { matchLabels: pods })
const tcp = (ports: readonly number[]) => ports.map((port) => ({ protocol: 'TCP', port }))

/** Nothing in, nothing out, for every pod that nobody thought of. */
export const denyAll = (namespace: string): PolicyRule => ({
  name: 'default-deny',
  namespace,
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
})

/** A name server is the one thing each pod needs. */
export const allowDns = (namespace: string, dnsCidrs: readonly string[]): PolicyRule => ({
  name: 'allow-dns',
  namespace,
  spec: {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
          ...dnsCidrs.map((cidr) => ({ ipBlock: { cidr } })),
        ],
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
    ],
  },
})

/** Something outside the cluster's pods, by address; which addresses is the stack's to know. */
export interface Addresses {
  readonly cidrs: readonly string[]
  readonly port: number
}

export const allowAddresses = (
  who: Peer,
  name: string,
  { cidrs, port }: Addresses,
): PolicyRule => ({
  name,
  namespace: who.namespace,
  spec: {
    podSelector: podSelector(who),
    policyTypes: ['Egress'],
    egress: [{ to: cidrs.map((cidr) => ({ ipBlock: { cidr } })), ports: tcp([port]) }],
  },
})

/** For pods that speak to the API server. */
export const allowApiServer = (who: Peer, name: string, apiServer: Addresses): PolicyRule =>
  allowAddresses(who, `${name}-to-api-server`, apiServer)

/** Both ends of one connection; an end outside `ours` is left to whoever owns that namespace. */
export const bothEnds = (
  connection: Connection,
  ours: (peer: Peer) => boolean,
): readonly PolicyRule[] => [
  ...(ours(connection.to)
    ? [
        {
          name: `in-${connection.name}`,
          namespace: connection.to.namespace,
          spec: {
            podSelector: podSelector(connection.to),
            policyTypes: ['Ingress'],
            ingress: [{ from: [peerSelector(connection.from)], ports: tcp(connection.ports) }],
          },
        },
      ]
    : []),
  ...(ours(connection.from)
    ? [
        {
          name: `out-${connection.name}`,
          namespace: connection.from.namespace,
          spec: {
            podSelector: podSelector(connection.from),
            policyTypes: ['Egress'],
            egress: [{ to: [peerSelector(connection.to)], ports: tcp(connection.ports) }],
          },
        },
      ]
    : []),
]

/** The outside comes in here: from the balancer's networks where they are known, else from anywhere. */
export const edgeEntrance = ({ trustedProxies }: StackConfig['edge']): PolicyRule => ({
  name: 'entrance',
  namespace: NAMESPACES.edge,
  spec: {
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'edge' } },
    policyTypes: ['Ingress'],
    ingress: [
      {
        ...(trustedProxies.length === 0
          ? {}
          : { from: trustedProxies.map((cidr) => ({ ipBlock: { cidr } })) }),
        ports: tcp([PORTS.edgePlain, PORTS.edgeTls]),
      },
    ],
  },
})
