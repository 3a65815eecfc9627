import { MERGE_PATCH, type ApiClient } from './api-client.ts'
import { isNotFound } from './api-error.ts'
import type { KubeObject } from './types.ts'

export const hasFinalizer = (object: KubeObject, finalizer: string): boolean =>
  object.metadata.finalizers?.includes(finalizer) ?? false

async function writeFinalizers(
  client: ApiClient,
  path: string,
  object: KubeObject,
  finalizers: readonly string[],
): Promise<void> {
  await client.call('PATCH', path, {
    contentType: MERGE_PATCH,
    // The version makes this a compare-and-set: a list patch would overwrite somebody else's finalizer.
    body: { metadata: { resourceVersion: object.metadata.resourceVersion, finalizers } },
  })
}

export async function addFinalizer(
  client: ApiClient,
  path: string,
  object: KubeObject,
  finalizer: string,
): Promise<void> {
  if (hasFinalizer(object, finalizer)) return
  await writeFinalizers(client, path, object, [...(object.metadata.finalizers ?? []), finalizer])
}

/** Call it only after the clean-up succeeded; on failure the finalizer has to stay. */
export async function removeFinalizer(
  client: ApiClient,
  path: string,
  object: KubeObject,
  finalizer: string,
): Promise<void> {
  if (!hasFinalizer(object, finalizer)) return
  const rest = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  try {
    await writeFinalizers(client, path, object, rest)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
