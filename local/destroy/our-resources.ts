/** A SecretRotation or McpGrant, whoever made it. */
export interface Resource {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly finalizers: readonly string[]
}

/** A credential that outlives its resource, in the words of the operator's event. */
export interface Orphan {
  readonly uid: string
  readonly note: string
}

/** What `destroy` asks of the cluster before the stack goes. */
export interface OurResources {
  list(): Promise<readonly Resource[]>
  /** Asks all of them to go; what holds a finalizer stays until its operator lets go. */
  remove(): Promise<void>
  removeBackends(): Promise<void>
  isOperatorThere(): Promise<boolean>
  /** Resolves when no replica is left. */
  removeOperator(): Promise<void>
  /** Takes our finalizer off, in place of an operator that does not do it. */
  letGo(resource: Resource): Promise<void>
  orphans(): Promise<readonly Orphan[]>
  /** Published Secrets stay, and with them a number that counts in a store that goes: no later one would fit. */
  forgetNumbers(): Promise<void>
}
