import { type Operation, OPERATIONS } from '../rest/operations.ts'
import { Problem } from '../rest/problem.ts'

type Json = Readonly<Record<string, unknown>>

/** JSON drops what TypeBox keeps for itself; `$id` names the component and is not repeated inside. */
const plain = (schema: unknown): Json => {
  const text = JSON.stringify(schema, (key, value: unknown) => (key === '$id' ? undefined : value))
  return JSON.parse(text) as Json
}

/** A schema with an `$id` becomes a component, so that client generators give it that name. */
function reference(schema: unknown, components: Map<string, Json>): Json {
  const id = (schema as { $id?: string }).$id
  if (id === undefined) return plain(schema)
  components.set(id, plain(schema))
  return { $ref: `#/components/schemas/${id}` }
}

function parameters(schema: unknown, place: 'path' | 'query' | 'header'): Json[] {
  const { properties = {}, required = [] } = plain(schema ?? {}) as {
    properties?: Readonly<Record<string, Json>>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name: place === 'header' ? 'Idempotency-Key' : name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

function operation(one: Operation, components: Map<string, Json>): Json {
  const content = (schema: unknown, type = 'application/json') => ({
    [type]: { schema: reference(schema, components) },
  })
  const all = [
    ...parameters(one.params, 'path'),
    ...parameters(one.query, 'query'),
    ...parameters(one.headers, 'header'),
  ]
  return {
    operationId: one.id,
    summary: one.summary,
    tags: [one.listener],
    security:
      one.access === 'public' ? [] : [{ [one.access === 'workload' ? 'workload' : 'bearer']: [] }],
    ...(one.access.includes(':') ? { 'x-palisade-scope': one.access } : {}),
    ...(all.length > 0 ? { parameters: all } : {}),
    ...(one.body ? { requestBody: { required: true, content: content(one.body) } } : {}),
    responses: {
      [one.answer.status]: {
        description: one.answer.text,
        ...(one.answer.schema ? { content: content(one.answer.schema, one.answer.type) } : {}),
      },
      default: {
        description: 'An error (RFC 9457).',
        content: content(Problem, 'application/problem+json'),
      },
    },
  }
}

export function openApi(): Json {
  const components = new Map<string, Json>()
  const paths: Record<string, Record<string, Json>> = {}
  for (const one of OPERATIONS) (paths[one.path] ??= {})[one.method] = operation(one, components)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Palisade gateway',
      version: '0.1.0',
      description: 'Secrets, tokens and their audit log.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'https://api.palisade.localhost:8443' }],
    tags: [
      { name: 'api', description: 'Port 3000, behind the edge.' },
      {
        name: 'internal',
        description: 'Port 3443, for workloads of the platform; not routed by the edge.',
      },
      { name: 'metrics', description: 'Port 9464, for probes and scrapes.' },
    ],
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        workload: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Projected ServiceAccount token with the audience palisade-gateway.',
        },
      },
    },
  }
}
