import type { FastifyInstance, preValidationHookHandler } from 'fastify'

const DECIMAL = /^(?:0|[1-9][0-9]{0,9})$/

/**
 * A query is text, its schema may say integer. Only plain decimals are turned into numbers, and only where the
 * schema asks; everything else stays what it was and is refused. Bodies are never converted.
 */
export function readQueryIntegers(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const query = route.schema?.querystring as
      { properties?: Record<string, { type?: string }> } | undefined
    const names = Object.entries(query?.properties ?? {})
      .filter(([, { type }]) => type === 'integer')
      .map(([name]) => name)
    if (names.length === 0) return
    const convert: preValidationHookHandler = (request, _reply, done) => {
      const values = request.query as Record<string, unknown>
      for (const name of names) {
        const text = values[name]
        if (typeof text === 'string' && DECIMAL.test(text)) values[name] = Number(text)
      }
      done()
    }
    route.preValidation = [route.preValidation ?? []].flat().concat(convert)
  })
}
