import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonMap } from '../provider/values.ts'
import { pulumiDir, type StackRequest } from './request.ts'

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

export const checkpointPath = (request: StackRequest): string =>
  join(pulumiDir(request), '.pulumi', 'stacks', request.project, `${request.stack}.json`)

/** The engine's state as it stands in its file; empty before the first run. */
export async function readCheckpoint(request: StackRequest): Promise<{ latest?: Deployment }> {
  try {
    const file = JSON.parse(await readFile(checkpointPath(request), 'utf8')) as {
      checkpoint?: { latest?: Deployment }
    }
    return file.checkpoint ?? {}
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
