import { access, readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalError } from '../errors.ts'
import { CGROUP } from './layout.ts'

const CGROUPS = '/sys/fs/cgroup'
const PATIENCE = 50

/** The one thing of the node that no namespace holds. The kernel frees a cgroup after its last process. */
export async function removeCgroups(): Promise<void> {
  for (const hierarchy of await readdir(CGROUPS).catch(() => [])) {
    const ours = join(CGROUPS, hierarchy, CGROUP)
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

/** Mount points at or beneath a folder, deepest first. Mountinfo writes a space as \\040. */
export function mountsBeneath(mountinfo: string, folder: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)
}

export const readMounts = (): Promise<string> => readFile('/proc/self/mountinfo', 'utf8')

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
