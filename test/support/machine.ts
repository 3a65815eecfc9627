import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDir } from '../../local/paths.ts'

const run = promisify(execFile)
const CGROUPS = '/sys/fs/cgroup'
const NAMESPACES = ['mnt', 'net', 'pid', 'uts', 'ipc', 'cgroup', 'user']

/** What a node could change on the machine itself. */
export interface MachineState {
  readonly mounts: readonly string[]
  readonly addresses: string
  readonly links: string
  readonly routes: string
  /** Rules of routing, of packet filters, and the sets that these name. */
  readonly rules: string
  readonly cgroups: readonly string[]
  readonly loopDevices: readonly string[]
  /** Names in the folders where a system component leaves its own. */
  readonly files: readonly string[]
  readonly settings: Readonly<Record<string, string>>
}

const SETTINGS = [
  'net/ipv4/ip_forward',
  'kernel/hostname',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
  'net/netfilter/nf_conntrack_max',
  'fs/inotify/max_user_watches',
]

const FOLDERS = [
  '/etc',
  '/opt',
  '/run',
  '/dev',
  '/var/lib',
  '/var/log',
  '/usr/libexec',
  '/run/netns',
]

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const ip = async (...args: string[]): Promise<string> => (await run('ip', ['-o', ...args])).stdout

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** By the node's own programs, which may be the only ones here: unpacked, not installed. */
async function packetFilters(): Promise<string> {
  const folder = join(cacheDir(), 'debian')
  const root = namesIn(folder)
    .map((name) => join(folder, name, 'usr'))
    .find((path) => existsSync(join(path, 'sbin/xtables-legacy-multi')))
  if (root === undefined) throw new Error('no packet filter was unpacked yet: run `make up` first')
  const libraries = join(root, 'lib/x86_64-linux-gnu')
  const env = { LD_LIBRARY_PATH: libraries, XTABLES_LIBDIR: join(libraries, 'xtables') }
  const tool = async (name: string, ...args: string[]) =>
    (await run(join(root, 'sbin', name), args, { env })).stdout
  const rules = await Promise.all(
    ['iptables-save', 'ip6tables-save'].map((one) => tool('xtables-legacy-multi', one)),
  )
  // Dates and counters go on by themselves.
  const plain = rules.join('\n').replaceAll(/^#.*\n|\[\d+:\d+\]/gm, '')
  return `${plain}\n${await tool('ipset', 'list', '-name')}`
}

/** Of one hierarchy or of each; deeper ones are those of whoever made the first. */
const topCgroups = (): string[] =>
  [CGROUPS, ...namesIn(CGROUPS).map((name) => join(CGROUPS, name))].flatMap((place) =>
    namesIn(place)
      .map((name) => join(place, name))
      .filter((path) => existsSync(join(path, 'cgroup.procs'))),
  )

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
    rules: [await ip('rule'), await ip('-6', 'rule'), await packetFilters()].join('\n'),
    cgroups: topCgroups(),
    loopDevices: namesIn('/sys/block').map((name) =>
      read(join('/sys/block', name, 'loop/backing_file')),
    ),
    files: FOLDERS.flatMap((folder) => namesIn(folder).map((name) => join(folder, name))),
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

/** What the processes show of themselves to whoever may look. */
export const shown = (processes: readonly RunningProcess[], file: 'environ' | 'cmdline'): string =>
  processes.map(({ pid }) => read(`/proc/${pid}/${file}`).replaceAll('\0', '\n')).join('\n')

/** Ports of this machine, not of another network, on which these processes listen. */
export function listeners(processes: readonly RunningProcess[]): { pid: number; port: number }[] {
  const ports = new Map<string, number>()
  for (const line of (read('/proc/net/tcp') + read('/proc/net/tcp6')).split('\n')) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    if (state === '0A') ports.set(`socket:[${inode}]`, parseInt(local.split(':')[1] ?? '', 16))
  }
  return processes.flatMap(({ pid }) =>
    linksIn(`/proc/${pid}/fd`).flatMap((link) => {
      const port = ports.get(link)
      return port === undefined ? [] : [{ pid, port }]
    }),
  )
}

function linksIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => readlinkSync(join(folder, name)))
  } catch {
    return [] // It has ended.
  }
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
  topCgroups().filter((path) => path.endsWith(`/${name}`))

/** Processes, children of init among them, whose command line or environment tells of this folder. */
export const processesOf = (folder: string): string[] =>
  pids()
    .filter((pid) => pid !== process.pid)
    .map((pid) => read(`/proc/${pid}/cmdline`) + read(`/proc/${pid}/environ`))
    .filter((text) => text.includes(folder))
    .map((text) => text.slice(0, text.indexOf('\0')))

export const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
