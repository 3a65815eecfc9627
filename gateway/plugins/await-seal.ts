import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PalisadeError } from '#core/problem'
import type { SealStore } from '../ports/audit-records.ts'
import type { SealedRecord } from '../route-config.ts'

export interface SealTiming {
  /** How long an answer is held back at most. */
  readonly limitMs: number
  /** Between two looks for the seal. */
  readonly everyMs: number
}

/** A seal takes a second at most in the ordinary run of things; the alert comes at ten. */
const TIMING: SealTiming = { limitMs: 5_000, everyMs: 50 }

/**
 * Routes declared `audit: 'sealed'` answer success only when each record that their handler left in
 * `request.committedRecords` has its place in the log. What was done is done when the wait ends without a seal: the
 * answer then is ERR_AUDIT_NOT_SEALED and says so. A handler that leaves no record is a mistake of ours (500).
 */
export function answerAfterSeal(
  app: FastifyInstance,
  seals: SealStore | undefined,
  timing: SealTiming = TIMING,
): void {
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.audit !== 'sealed' || seals) return
    throw new PalisadeError(
      'ERR_CONFIG_INVALID',
      `route ${String(method)} ${url} waits for seals, and nothing here can see them`,
      { remedy: 'build the app with a store of seals' },
    )
  })
  if (!seals) return
  app.decorateRequest('committedRecords', null)
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.audit === 'sealed') request.committedRecords = []
    done()
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const records = request.committedRecords
    // A refusal has no effect that a record must precede.
    if (records === null || reply.statusCode >= 400) return payload
    try {
      await untilSealed(request, records, seals, timing)
      return payload
    } catch (error) {
      destroy(payload)
      for (const name of ['location', 'content-disposition', 'content-encoding', 'etag']) {
        reply.removeHeader(name)
      }
      throw error
    }
  })
}

async function untilSealed(
  request: FastifyRequest,
  records: readonly SealedRecord[],
  seals: SealStore,
  { limitMs, everyMs }: SealTiming,
): Promise<void> {
  if (records.length === 0) {
    throw new Error(`${String(request.routeOptions.url)} answered without having left its record`)
  }
  const end = performance.now() + limitMs
  while (!(await areSealed(seals, records))) {
    if (performance.now() >= end || request.raw.destroyed) {
      throw new PalisadeError(
        'ERR_AUDIT_NOT_SEALED',
        `committed as ${records.map(({ id }) => id).join(', ')}, not sealed within ${limitMs / 1000} s`,
      )
    }
    await pause(everyMs)
  }
}

async function areSealed(seals: SealStore, records: readonly SealedRecord[]): Promise<boolean> {
  for (const tenant of new Set(records.map(({ tenantId }) => tenantId))) {
    const ids = records.filter(({ tenantId }) => tenantId === tenant).map(({ id }) => id)
    if (!(await seals.areSealed(tenant, ids))) return false
  }
  return true
}

/** A stream that nobody will read would keep its cursor open. */
function destroy(payload: unknown): void {
  if (payload !== null && typeof payload === 'object' && 'destroy' in payload) {
    ;(payload as { destroy(): void }).destroy()
  }
}
