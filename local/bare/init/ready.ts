import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import type { IsReady } from './supervisor.ts'

/** Asks with the admin certificate: the API server answers nobody who is anonymous. */
export function readinessWith(pki: string): IsReady {
  const tls = {
    ca: readFileSync(join(pki, 'ca-cluster.crt')),
    cert: readFileSync(join(pki, 'admin.crt')),
    key: readFileSync(join(pki, 'admin.key')),
  }
  const answers = (url: string): Promise<boolean> =>
    new Promise((resolve) => {
      const call = request(url, { ...tls, timeout: 2_000, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      })
      call.once('timeout', () => call.destroy())
      call.once('error', () => resolve(false))
      call.end()
    })
  return async (urls) => {
    for (const url of urls) if (!(await answers(url))) return false
    return true
  }
}
