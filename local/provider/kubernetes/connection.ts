export interface Connection {
  readonly server: string
  readonly namespace: string
  readonly tls: {
    ca?: string | Buffer
    cert?: string | Buffer
    key?: string | Buffer
    rejectUnauthorized?: boolean
    servername?: string
  }
  /** Asked for each call, since a token may be renewed by the program that gives it. */
  readonly headers: () => Promise<Record<string, string>>
}

export interface ConnectionWish {
  /** A path or the text itself; without it KUBECONFIG and ~/.kube/config are read. */
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly cluster?: string | undefined
  readonly namespace?: string | undefined
}
