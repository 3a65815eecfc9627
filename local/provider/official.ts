import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LocalError } from '../errors.ts'

const PLUGIN = 'pulumi-resource-kubernetes'

/** The stand-in is for machines that cannot have the official plugin, and never in its place. */
export function refuseBesideOfficial(path: string): void {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    try {
      accessSync(join(folder, PLUGIN), constants.X_OK)
    } catch {
      continue
    }
    throw new LocalError(
      'ERR_OFFICIAL_PLUGIN',
      `${PLUGIN} is installed in ${folder}`,
      'run "pulumi up" with it; the stand-in provider does not start beside it',
    )
  }
}
