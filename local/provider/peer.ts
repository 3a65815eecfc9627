import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import { LocalError } from '../errors.ts'

/** An address as /proc/net/tcp writes it: each four bytes in the machine's order, and the port. */
const hexOf = (address: string, port: number): string => {
  const bytes = address.replace('::ffff:', '').split('.').map(Number).reverse()
  const host = Buffer.from(bytes).toString('hex')
  return `${host}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}

/** A client may reach 127.0.0.1 by a socket of IPv6; the kernel lists it with this before the address. */
const MAPPED = '0000000000000000FFFF0000'
const ESTABLISHED = '01'

export interface Owner {
  readonly uid: number
  readonly inode: string
}

/**
 * Whose the other end of a connection is. Only while it is established and held by a process: the kernel
 * lists a socket that was closed, even by another user, as root's and with inode 0.
 */
export function ownerOf(
  tables: string,
  from: { readonly address: string; readonly port: number },
  to: { readonly address: string; readonly port: number },
): Owner | undefined {
  const [local, remote] = [hexOf(from.address, from.port), hexOf(to.address, to.port)]
  for (const line of tables.split('\n')) {
    const [, one = '', other = '', state, , , , uid = '', , inode = '0'] = line.trim().split(/\s+/)
    if (one.replace(MAPPED, '') !== local || other.replace(MAPPED, '') !== remote) continue
    return state === ESTABLISHED && inode !== '0' ? { uid: Number(uid), inode } : undefined
  }
  return undefined
}

/** A process and all that descend from it, the only ones that may ask the provider: the engine is among them. */
export class Family {
  readonly #root: number
  readonly #uid: number

  constructor(root: number, uid = process.getuid?.() ?? -1) {
    this.#root = root
    this.#uid = uid
    if (tablesOfSockets() !== '') return
    throw new LocalError(
      'ERR_PEER_UNKNOWN',
      'the provider cannot tell who connects to it: /proc/net/tcp cannot be read',
      'run it on Linux with /proc mounted',
    )
  }

  /** Why this connection is not answered; what cannot be found out is refused. */
  refusalOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
    if (!remoteAddress || !remotePort || !localAddress || !localPort) return 'it has ended'
    const from = { address: remoteAddress, port: remotePort }
    const owner = ownerOf(tablesOfSockets(), from, { address: localAddress, port: localPort })
    if (!owner) return 'its owner is not known'
    if (owner.uid !== this.#uid) return `it belongs to user ${owner.uid}`
    const isHeld = descendantsOf(this.#root).some((pid) => holds(pid, owner.inode))
    return isHeld ? undefined : 'its process was not started by the run that this provider serves'
  }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone meanwhile, or not ours to read: either way nothing speaks for it
  }
}

const tablesOfSockets = (): string => read('/proc/net/tcp') + read('/proc/net/tcp6')

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    const stat = read(`/proc/${pid}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const family = [root]
  for (const pid of family) family.push(...(children.get(pid) ?? []))
  return family
}

function holds(pid: number, inode: string): boolean {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).some((fd) => linkOf(`${folder}/${fd}`) === `socket:[${inode}]`)
  } catch {
    return false // ended while we looked
  }
}

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
