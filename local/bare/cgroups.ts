import { existsSync, readFileSync } from 'node:fs'
import { access, readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalError } from '../errors.ts'
import { CGROUP } from './layout.ts'

const MOUNT = '/sys/fs/cgroup'
const PATIENCE = 50

/** What the kubelet and runc must be able to limit; `io` and `hugetlb` are used where they are. */
const NEEDED = ['cpu', 'cpuset', 'memory', 'pids'] as const
const USED = [...NEEDED, 'io', 'hugetlb'] as const

export interface Cgroups {
  readonly version: 1 | 2
  /** A container sees a part of the tree as the whole; only the true root may hold processes and children. */
  readonly isTrueRoot: boolean
  /** Of those that are needed; version 1 mounts each one apart. */
  readonly missing: readonly string[]
}

/** In a hybrid, the files of version 2 lie one folder down, and version 1 does the work. */
export function cgroupsOf(mount = MOUNT): Cgroups {
  const list = join(mount, 'cgroup.controllers')
  if (!existsSync(list)) return { version: 1, isTrueRoot: true, missing: [] }
  const there = readFileSync(list, 'utf8').trim().split(' ')
  return {
    version: 2,
    // The kernel gives every cgroup but the first one a type.
    isTrueRoot: !existsSync(join(mount, 'cgroup.type')),
    missing: NEEDED.filter((name) => !there.includes(name)),
  }
}

/**
 * All pods lie beneath one cgroup of ours, so that `down` knows what to remove. No process of the node is in it:
 * in version 2 a cgroup that hands on its controllers may hold none.
 */
export function cgroupScript(mount = MOUNT): string {
  return [
    `if [ -e ${mount}/cgroup.controllers ]; then`,
    `mkdir -p ${mount}/${CGROUP} || exit 1`,
    `for name in ${USED.join(' ')}; do for folder in ${mount} ${mount}/${CGROUP}; do`,
    'grep -qw "$name" "$folder/cgroup.controllers" || continue',
    'grep -qw "$name" "$folder/cgroup.subtree_control" && continue',
    'echo "+$name" >> "$folder/cgroup.subtree_control" || exit 1; done; done; exit 0; fi',
    `for c in ${mount}/*/; do [ -e "$c/cgroup.procs" ] || [ -e "$c/tasks" ] || continue`,
    `mkdir -p "$c/${CGROUP}" || exit 1; done`,
    `c=${mount}/cpuset; [ ! -d $c/${CGROUP} ] || for f in cpus mems; do`,
    `cat $c/cpuset.$f > $c/${CGROUP}/cpuset.$f; done`,
  ].join('\n')
}

/** Ours, in every hierarchy of version 1 or in the only one of version 2. */
export async function ownCgroups(mount = MOUNT): Promise<string[]> {
  const hierarchies = await readdir(mount, { withFileTypes: true }).catch(() => [])
  const places = [
    mount,
    ...hierarchies
      .filter((one) => one.isDirectory() || one.isSymbolicLink())
      .map(({ name }) => join(mount, name)),
  ]
  return places.map((place) => join(place, CGROUP)).filter((path) => existsSync(path))
}

/** The one thing of the node that no namespace holds. The kernel frees a cgroup after its last process. */
export async function removeCgroups(mount = MOUNT): Promise<void> {
  for (const ours of await ownCgroups(mount)) {
    for (let attempt = 0; attempt < PATIENCE && (await exists(ours)); attempt++) {
      await removeTree(ours).catch(() => sleep(100))
    }
    if (await exists(ours)) {
      throw new LocalError(
        'ERR_CGROUP_BUSY',
        `${ours} still holds processes`,
        `see ${ours}/**/cgroup.procs, end them and run \`make down\` again`,
      )
    }
  }
}

/** Only folders: the files of a cgroup cannot be deleted, and need not be. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name))
  await rmdir(folder)
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
