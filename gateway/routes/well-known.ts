import type { FastifyInstance } from 'fastify'
import type { SigningKeys } from '../identity/signing-keys.ts'
import { PUBLIC } from '../limits/policy.ts'

/** RFC 7517 key set: verifiers may keep it for five minutes, which is less than a new key waits before it signs. */
export const wellKnownRoutes = (keys: SigningKeys) => (app: FastifyInstance) => {
  app.get(
    '/.well-known/jwks.json',
    { config: { access: 'public', limit: PUBLIC } },
    async (_request, reply) =>
      reply
        .header('cache-control', 'public, max-age=300')
        .type('application/jwk-set+json')
        .send(keys.jwks()),
  )
}
