import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonMap } from '../provider/values.ts'
import { pulumiDir, type StackPlace } from './request.ts'

export interface StateResource {
  readonly urn: string
  readonly type: string
  readonly id?: string
  readonly inputs?: JsonMap
  readonly outputs?: JsonMap
}

export interface PendingOperation {
  readonly type: string
  readonly resource: StateResource
}

export interface Deployment {
  readonly resources?: readonly StateResource[]
  readonly pending_operations?: readonly PendingOperation[]
}

export const checkpointPath = (place: StackPlace): string =>
  join(pulumiDir(place), '.pulumi', 'stacks', place.project, `${place.stack}.json`)

/** The engine's state as it stands in its file; empty before the first run. */
export async function readCheckpoint(place: StackPlace): Promise<{ latest?: Deployment }> {
  try {
    const file = JSON.parse(await readFile(checkpointPath(place), 'utf8')) as {
      checkpoint?: { latest?: Deployment }
    }
    return file.checkpoint ?? {}
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** False until a stack was made here; a destroyed one has an empty state. */
export const hasState = (place: StackPlace): Promise<boolean> =>
  access(checkpointPath(place)).then(
    () => true,
    () => false,
  )
