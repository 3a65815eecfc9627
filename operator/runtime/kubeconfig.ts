import { readFile } from 'node:fs/promises'
import { plainLogin } from '#core/plain-kubeconfig'
import type { Endpoint } from './api-client.ts'
import { bearer } from './endpoint.ts'

/** What the current context of a kubeconfig names. Only a login that is not plain, such as a plugin's, needs the client. */
export async function endpointOf(path: string): Promise<Endpoint> {
  const plain = plainLogin(await readFile(path, 'utf8'))
  if (!plain) {
    const { endpointByClient } = await import('./endpoint-by-client.ts')
    return endpointByClient(path)
  }
  const { server, tls, token } = plain
  return { server, tls, headers: () => Promise.resolve(token === undefined ? {} : bearer(token)) }
}
