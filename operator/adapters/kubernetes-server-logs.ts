import { networkInterfaces } from 'node:os'
import { PalisadeError } from '#core/problem'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { ApiClient } from '../runtime/api-client.ts'
import { listInPages } from '../runtime/listing.ts'
import type { KubeObject } from '../runtime/types.ts'
import type { ServerLogs } from './refused-logins.ts'

interface Pod extends KubeObject {
  readonly status?: { readonly phase?: string }
}

export function createServerLogs(client: ApiClient): ServerLogs {
  return {
    async pods(backend, signal) {
      const { namespace, podSelector } = logsOf(backend)
      const labelSelector = Object.entries(podSelector.matchLabels)
        .map(([key, value]) => `${key}=${value}`)
        .join(',')
      const path = `/api/v1/namespaces/${namespace}/pods`
      const { items } = await listInPages<Pod>(client, path, { labelSelector, signal })
      return items
        .filter(({ status }) => status?.phase === 'Running')
        .map(({ metadata }) => metadata.name)
    },

    piece(backend, pod, signal) {
      const { namespace, container } = logsOf(backend)
      const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/log`
      return async (sinceTime, limitBytes) => {
        const query = {
          ...{ container, limitBytes, timestamps: true },
          ...(sinceTime === undefined ? {} : { sinceTime }),
        }
        const chunks: Uint8Array[] = []
        let size = 0
        for await (const chunk of await client.stream(path, query, signal)) {
          chunks.push(chunk)
          size += chunk.byteLength
          // Whoever serves the log may not keep to the limit that was asked for.
          if (size >= limitBytes) break
        }
        return Buffer.concat(chunks).subarray(0, limitBytes).toString('utf8')
      }
    },
  }
}

/** Addresses under which a server sees this very process; loopback is everybody's. */
export const ownAddresses = (): ReadonlySet<string> =>
  new Set(
    Object.values(networkInterfaces())
      .flat()
      .flatMap((one) => (one && !one.internal ? [one.address] : [])),
  )

function logsOf({ metadata, spec }: RotationBackend) {
  if (spec.serverLogs) return spec.serverLogs
  throw new PalisadeError(
    'ERR_BACKEND_REFUSED',
    `RotationBackend "${metadata.name}" gives no spec.serverLogs`,
  )
}
