import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const NAMESPACES = ['mnt', 'net', 'pid', 'uts', 'ipc']

/** What a node could change on the machine itself. */
export interface MachineState {
  readonly mounts: readonly string[]
  readonly addresses: string
  readonly links: string
  readonly routes: string
  readonly filterTables: string
  readonly settings: Readonly<Record<string, string>>
}

const SETTINGS = [
  'net/ipv4/ip_forward',
  'kernel/hostname',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
]

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const ip = async (...args: string[]): Promise<string> => (await run('ip', ['-o', ...args])).stdout

export async function machineState(): Promise<MachineState> {
  return {
    // The first field is a number that the kernel gives anew; the rest describes the mount.
    mounts: read('/proc/self/mountinfo')
      .split('\n')
      .map((line) => line.split(' ').slice(2, 6).join(' '))
      .sort(),
    // Lifetimes count down.
    addresses: (await ip('address')).replaceAll(/(valid|preferred)_lft \S+/g, ''),
    links: (await ip('link')).replaceAll(/\d+: /g, ''),
    routes: await ip('route', 'show', 'table', 'all'),
    filterTables: read('/proc/net/ip_tables_names') + read('/proc/net/ip_tables_matches'),
    settings: Object.fromEntries(
      SETTINGS.map((name) => [name, read(join('/proc/sys', name)).trim()]),
    ),
  }
}

export interface RunningProcess {
  readonly pid: number
  readonly started: string
  readonly namespaces: readonly string[]
}

const pids = (): number[] => readdirSync('/proc').map(Number).filter(Number.isInteger)

const fieldsOf = (pid: number): string[] => {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

const namespacesOf = (pid: number): string[] =>
  NAMESPACES.flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/${name}`)]
    } catch {
      return []
    }
  })

/** A process and all that descend from it, with the namespaces that the machine itself does not use. */
export function processTree(root: number): RunningProcess[] {
  const children = new Map<number, number[]>()
  for (const pid of pids()) {
    const parent = Number(fieldsOf(pid)[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const own = new Set(namespacesOf(process.pid))
  const found: RunningProcess[] = []
  const visit = (pid: number): void => {
    const namespaces = namespacesOf(pid).filter((namespace) => !own.has(namespace))
    found.push({ pid, started: fieldsOf(pid)[19] ?? '', namespaces })
    for (const child of children.get(pid) ?? []) visit(child)
  }
  visit(root)
  return found
}

/** A zombie has ended; only its parent has not asked yet. */
export const stillRunning = (processes: readonly RunningProcess[]): RunningProcess[] =>
  processes.filter(({ pid, started }) => {
    const fields = fieldsOf(pid)
    return started !== '' && fields[19] === started && fields[0] !== 'Z'
  })

/** Of these namespaces, the ones that some process or bind mount of the machine still holds. */
export function stillHeld(namespaces: ReadonlySet<string>): string[] {
  const held = new Set(pids().flatMap(namespacesOf))
  return [...namespaces].filter((namespace) => held.has(namespace))
}

export const cgroupsNamed = (name: string): string[] =>
  readdirSync('/sys/fs/cgroup')
    .map((hierarchy) => join('/sys/fs/cgroup', hierarchy, name))
    .filter((path) => existsSync(path))

export const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
