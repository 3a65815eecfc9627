import type { ApiClient } from './api-client.ts'
import type { KubeObject } from './types.ts'

const PAGE = 500

export interface Listed<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
}

interface ListBody<T> {
  readonly items: T[] | null
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
}

export interface ListOptions {
  readonly labelSelector?: string | undefined
  readonly signal?: AbortSignal
}

/** The list in pages, so that 10,000 objects are not one answer of 50 MB in the server's memory. */
export async function listInPages<T extends KubeObject>(
  client: ApiClient,
  path: string,
  options: ListOptions = {},
): Promise<Listed<T>> {
  const items: T[] = []
  let token: string | undefined
  for (;;) {
    const page = await client.call<ListBody<T>>('GET', path, {
      query: { limit: PAGE, continue: token, labelSelector: options.labelSelector },
      ...(options.signal ? { signal: options.signal } : {}),
    })
    items.push(...(page.items ?? []))
    token = page.metadata.continue
    // Every page carries the version of the snapshot, which is where the watch has to begin.
    if (!token) return { items, resourceVersion: page.metadata.resourceVersion ?? '' }
  }
}
