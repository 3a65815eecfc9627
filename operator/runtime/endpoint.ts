import { readFile } from 'node:fs/promises'
import type { Endpoint } from './api-client.ts'

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
/** The kubelet replaces a projected token long before it ends. */
const TOKEN_AGE_MS = 60_000

/**
 * The API server as a Pod reaches it, with the token and the authority of its own account.
 * @param server such as `https://10.96.0.1:443`
 */
export async function endpointInCluster(
  server: string,
  account = ACCOUNT,
  now: () => number = () => performance.now(),
): Promise<Endpoint> {
  const ca = await readFile(`${account}/ca.crt`, 'utf8')
  const token = tokenIn(`${account}/token`, now)
  return { server, headers: async () => bearer(await token()), tls: { ca } }
}

function tokenIn(file: string, now: () => number): () => Promise<string> {
  let token = ''
  let readAt = -Infinity
  return async () => {
    if (now() - readAt < TOKEN_AGE_MS) return token
    token = (await readFile(file, 'utf8')).trim()
    readAt = now()
    return token
  }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
