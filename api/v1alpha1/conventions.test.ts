import { describe, expect, it } from 'vitest'
import { customResourceDefinition } from '../gen/crd.ts'
import { DEFINITIONS } from './definitions.ts'

interface Node {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly additionalProperties?: Node
  readonly enum?: readonly string[]
  readonly format?: string
  readonly maxItems?: number
  readonly maxLength?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

/** Every node below spec and status with its path; items of lists carry []. */
function nodesOf(node: Node, path: string): { path: string; node: Node }[] {
  const below = [
    ...Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
      nodesOf(child, `${path}.${name}`),
    ),
    ...(node.items ? nodesOf(node.items, `${path}[]`) : []),
  ]
  return [{ path, node }, ...below]
}

const NODES = DEFINITIONS.flatMap((definition) => {
  const [version] = customResourceDefinition(definition).spec.versions
  const { spec, status } = version?.schema.openAPIV3Schema.properties ?? {}
  return [
    ...nodesOf(spec as Node, `${definition.kind}.spec`),
    ...nodesOf(status as Node, `${definition.kind}.status`),
  ]
})
const pathsOf = (wrong: (node: Node, path: string) => boolean) =>
  NODES.filter(({ path, node }) => wrong(node, path)).map(({ path }) => path)

describe('custom resources', () => {
  it('describe each field', () => {
    expect(NODES.length).toBeGreaterThan(100)
    expect(pathsOf(({ description }, path) => !path.endsWith('[]') && !description)).toEqual([])
  })

  it('use words in place of booleans, suspend apart, as CronJob has it', () => {
    expect(pathsOf(({ type }) => type === 'boolean')).toEqual(['SecretRotation.spec.suspend'])
  })

  it('have no floats', () => {
    expect(
      pathsOf(({ type, format }) => type === 'number' || (type === 'integer' && !format)),
    ).toEqual([])
  })

  // Without bounds the API server's estimate of the cost of rules is the largest request.
  it('bound every list, map and text', () => {
    const unbounded = ({ type, enum: words, format, ...node }: Node) =>
      (type === 'array' && node.maxItems === undefined) ||
      (node.additionalProperties !== undefined && node.maxProperties === undefined) ||
      (type === 'string' && !words && format !== 'date-time' && node.maxLength === undefined)
    expect(pathsOf(unbounded)).toEqual([])
  })

  it('say how each list is merged, and conditions by their type', () => {
    expect(pathsOf((node) => node.type === 'array' && !node['x-kubernetes-list-type'])).toEqual([])
    const conditions = NODES.filter(({ path }) => path.endsWith('.conditions'))
    expect(conditions).toHaveLength(DEFINITIONS.length)
    for (const { node } of conditions) expect(node['x-kubernetes-list-map-keys']).toEqual(['type'])
  })

  it('have no field in status that could hold a value', () => {
    const suspicious = pathsOf((_, path) =>
      /\.status\..*(password|secret|token|value|digest|verifier)/i.test(path),
    )
    // A digest of what was asked for, not of a secret.
    expect(suspicious).toEqual(['McpGrant.status.requestDigest'])
  })
})
