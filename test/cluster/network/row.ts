import type { Peer } from './peers.ts'

/** Who connects to whom, by the names in peers.ts. */
export type Try = `${string} -> ${string}:${number}` | `${string} -> ${string}:${number}/udp`

export interface Row {
  /** Namespace and name of the NetworkPolicy. */
  readonly policy: string
  readonly allowed: readonly Try[]
  readonly denied: readonly Try[]
}

/** Each Pod may ask the name server, and nothing else of it. */
export const dns = (policy: string, pod: Peer): Row => ({
  policy,
  allowed: [`${pod} -> dns:53`, `${pod} -> dns:53/udp`],
  denied: [`${pod} -> dns:8181`],
})

export const apiServer = (policy: string, pod: Peer): Row => ({
  policy,
  allowed: [`${pod} -> apiServer:6443`],
  denied: [`${pod} -> listener:6443`, `${pod} -> kubelet:10250`],
})

export const row = (policy: string, allowed: Try, ...denied: readonly Try[]): Row => ({
  policy,
  allowed: [allowed],
  denied,
})
