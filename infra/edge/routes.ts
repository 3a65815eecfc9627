export type LimitClass = 'auth' | 'general' | 'streaming'
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

/** What the edge lets through. A path that no route names ends here with 404. */
export interface EdgeRoute {
  readonly path: string
  readonly match: 'prefix' | 'exact'
  readonly methods: readonly Method[]
  readonly limit: LimitClass
  readonly maxBody: `${number}${'k' | 'm'}`
  /**
   * For the WAF that is to come; nothing reads it yet. Bodies that carry secrets or free text are never to be inspected:
   * the schema of the gateway guards them.
   */
  readonly waf: { readonly body: 'on' | 'off' }
}

const READ = ['GET', 'HEAD', 'OPTIONS'] as const
const WRITE = [...READ, 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const prefix = (
  path: string,
  limit: LimitClass,
  maxBody: EdgeRoute['maxBody'],
  methods: readonly Method[] = WRITE,
): EdgeRoute => ({ path, match: 'prefix', methods, limit, maxBody, waf: { body: 'off' } })

export const ROUTES: readonly EdgeRoute[] = [
  prefix('/api/v1/auth/', 'auth', '16k', ['GET', 'POST', 'DELETE', 'OPTIONS']),
  prefix('/api/v1/oauth/', 'auth', '16k', ['GET', 'POST', 'OPTIONS']),
  prefix('/api/', 'general', '1m'),
  prefix('/mcp/', 'streaming', '1m', ['GET', 'POST', 'DELETE', 'OPTIONS']),
  prefix('/.well-known/', 'general', '1k', READ),
]

/**
 * A flood ends here, cheaply and per address; the exact limits per caller are the gateway's. Rates lie
 * above those, so that an honest client meets the gateway's answer, which knows when to come back.
 */
export const LIMITS: Readonly<
  Record<LimitClass, { rate: string; burst: number; retryAfter: number }>
> = {
  auth: { rate: '30r/m', burst: 30, retryAfter: 2 },
  general: { rate: '50r/s', burst: 200, retryAfter: 1 },
  streaming: { rate: '20r/s', burst: 60, retryAfter: 1 },
}
