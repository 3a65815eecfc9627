import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeCgroups } from './bare/cgroups.ts'
import { layoutOf } from './bare/layout.ts'
import { mountsBeneath, readMounts } from './bare/leftovers.ts'
import { restoreSysctls } from './bare/sysctls.ts'
import { stopRelay, stopTree } from './bare/tree.ts'
import { LocalError } from './errors.ts'
import { deleteKind } from './kind/backend.ts'
import { isLock } from './lock.ts'
import { cacheDir, stateDir } from './paths.ts'
import type { Step } from './steps.ts'

export interface DownOptions {
  /** Also deletes tools, packages and image archives: the next `up` is a cold one. */
  readonly purge: boolean
  /** Stops everything but keeps etcd, volumes and keys, so that `up` continues where it was. */
  readonly keep: boolean
}

/** Each part can be gone already: `down` after a crash or a reboot ends the same way. */
export function downSteps({ purge, keep }: DownOptions): Step[] {
  const layout = layoutOf(stateDir())
  const steps: Step[] = [
    { name: 'relay', run: async () => ((await stopRelay(layout)) ? 'stopped' : 'was not running') },
    {
      name: 'node',
      needs: ['relay'],
      run: async () => ((await stopTree(layout)) ? 'stopped' : 'was not running'),
    },
    { name: 'kind cluster', run: async () => deleteKind(layout) },
    {
      name: 'cgroups and settings of the machine',
      needs: ['node'],
      run: async () => {
        await removeCgroups()
        await restoreSysctls(layout)
        return 'as before'
      },
    },
  ]
  if (!keep) {
    steps.push({
      name: 'state',
      needs: ['cgroups and settings of the machine'],
      run: () => remove([stateDir()], stateDir()),
    })
  }
  if (purge) steps.push({ name: 'caches', needs: ['node'], run: removeCaches })
  return steps
}

/** All but the locks: ours is held to the end of the command, and takes the empty folder with it. */
async function removeCaches(): Promise<string> {
  const folder = cacheDir()
  const names = await readdir(folder)
  const caches = names.filter((name) => !isLock(name)).map((name) => join(folder, name))
  return remove(caches, folder)
}

async function remove(paths: readonly string[], folder: string): Promise<string> {
  // Deleting through a mount that is still there would delete what it shows.
  const mounts = mountsBeneath(await readMounts(), folder)
  if (mounts.length > 0) {
    throw new LocalError(
      'ERR_STILL_MOUNTED',
      `${mounts.join(', ')} is still mounted`,
      `umount ${mounts.join(' ')} and run \`make down\` again`,
    )
  }
  for (const path of paths) await rm(path, { recursive: true, force: true, maxRetries: 3 })
  return `${folder} deleted`
}
