import { NAMESPACES, PORTS } from '../names.ts'
import { serviceNames } from '../workload/certificate.ts'

/** Headless, and it names pods that are not ready: they find each other before they can serve. */
export const NODES_SERVICE = 'openbao-nodes'

/** Stands for the name of the pod in the configuration; the init container puts it in. */
export const POD = '{pod}'

export const nodeHost = (pod: string): string => `${pod}.${NODES_SERVICE}.${NAMESPACES.vault}.svc`

const nodeNames = (replicas: number): readonly string[] =>
  Array.from({ length: replicas }, (_, index) => `openbao-${index}`)

export const nodeAddress = (pod: string): string => `https://${nodeHost(pod)}:${PORTS.openbao}`

export const nodeAddresses = (replicas: number): readonly string[] =>
  nodeNames(replicas).map(nodeAddress)

/** Names in the one certificate that all nodes share: of the Service, and of each node. */
export const certificateNames = (replicas: number): readonly string[] => [
  'openbao',
  ...serviceNames('openbao', NAMESPACES.vault),
  ...(replicas === 1 ? [] : nodeNames(replicas).map(nodeHost)),
]
