import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import { NAMESPACES, OPERATOR_NAMESPACES } from '../names.ts'
import {
  CONNECTIONS,
  type Peer,
  PEERS,
  withExistingDatabase,
  withStoreNodes,
} from '../network/connections.ts'
import { bothEnds } from '../network/policies.ts'

const CHART_OWNS: readonly Peer[] = [PEERS.gateway, PEERS.sealer, PEERS.operator]
const FOREIGN: readonly string[] = Object.values(OPERATOR_NAMESPACES)

/** The chart brings the ends of its own pods; namespaces of other people's operators are theirs. */
export const isOurs = (without: readonly string[]) => (peer: Peer) =>
  !CHART_OWNS.includes(peer) &&
  !FOREIGN.includes(peer.namespace) &&
  !without.includes(peer.namespace)

export interface ConnectionsArgs {
  readonly monitoring: boolean
  /** False where the database is outside the cluster. */
  readonly ownDatabase: boolean
  /** Nodes of the secret store. */
  readonly storeNodes: number
}

/** Opens the connections of the table, each at both ends; everything else stays closed. */
export class Connections extends pulumi.ComponentResource {
  constructor(name: string, args: ConnectionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Connections', name, {}, opts)
    const ours = isOurs(args.monitoring ? [] : [NAMESPACES.monitoring])
    const reached = args.ownDatabase ? CONNECTIONS : withExistingDatabase(CONNECTIONS)
    const table = args.storeNodes > 1 ? withStoreNodes(reached) : reached
    for (const policy of table.flatMap((connection) => bothEnds(connection, ours))) {
      new k8s.networking.v1.NetworkPolicy(
        `${policy.namespace}/${policy.name}`,
        { metadata: { name: policy.name, namespace: policy.namespace }, spec: policy.spec },
        { parent: this },
      )
    }
    this.registerOutputs({})
  }
}
