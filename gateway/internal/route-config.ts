import type { Workload } from '../ports/callers.ts'

/** Programs of the platform that the internal listener knows; each route names the one it serves. */
export type WorkloadName = 'operator'

declare module 'fastify' {
  interface FastifyContextConfig {
    workload?: WorkloadName
  }
  interface FastifyRequest {
    /** Set by recognition on the internal listener; absent everywhere else. */
    workload?: Workload | null
  }
}
