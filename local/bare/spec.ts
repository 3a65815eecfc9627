/** What the init of the node runs. Rendered outside, so that it can be compared with what is running. */
export interface NodeSpec {
  /** Run one after another in the fresh namespaces; the first failure ends the node. */
  readonly prepare: readonly (readonly string[])[]
  readonly components: readonly Component[]
  /** Unix socket in the state folder → address inside the node's network. */
  readonly forwards: readonly Forward[]
}

export interface Component {
  readonly name: string
  readonly argv: readonly string[]
  /** Components that must have been ready once before this one starts. */
  readonly needs?: readonly string[]
  /** Programs and sockets that must exist; a tool may still be compiling. */
  readonly files?: readonly string[]
  /** Ready when each of these answers 200 to the admin certificate. */
  readonly ready?: readonly string[]
}

export interface Forward {
  readonly socket: string
  readonly host: string
  readonly port: number
}
