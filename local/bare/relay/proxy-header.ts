export interface Endpoints {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

/**
 * PROXY protocol version 1 (HAProxy, section 2.1): the client's address as one line before its first
 * byte. It is written here, from the accepted connection; whatever the client sends comes after it.
 */
export function proxyHeader(ends: Endpoints): string {
  const source = plain(ends.remoteAddress)
  const target = plain(ends.localAddress)
  const family = source.includes(':') ? 'TCP6' : 'TCP4'
  // The two addresses of a line must be of one family.
  if (source.includes(':') !== target.includes(':')) return 'PROXY UNKNOWN\r\n'
  return `PROXY ${family} ${source} ${target} ${ends.remotePort} ${ends.localPort}\r\n`
}

/** A dual-stack listener reports IPv4 clients as ::ffff:192.0.2.1. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
