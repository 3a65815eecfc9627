type Node = Readonly<Record<string, unknown>>

/** Words of JSON Schema that a structural schema does not take, or that pruning makes needless. */
const DROPPED = new Set(['$id', 'additionalProperties:false'])

/**
 * A TypeBox object as structural schema of a CRD. What has a default need not be written, and the API server
 * fills it in: for readers, and so for our types, it is always there.
 */
export function structural(schema: unknown): Node {
  // JSON leaves out what TypeBox keeps for itself.
  return walk(JSON.parse(JSON.stringify(schema)) as Node)
}

function walk(node: Node): Node {
  const out: Record<string, unknown> = {}
  for (const [word, value] of Object.entries(node)) {
    if (DROPPED.has(word) || DROPPED.has(`${word}:${String(value)}`)) continue
    if (word === 'properties') {
      const properties = Object.entries(value as Record<string, Node>)
      out[word] = Object.fromEntries(properties.map(([name, child]) => [name, walk(child)]))
    } else if (word === 'items' || word === 'additionalProperties') {
      out[word] = walk(value as Node)
    } else if (word === 'required') {
      const written = (value as string[]).filter((name) => !hasDefault(node, name))
      if (written.length > 0) out[word] = written
    } else if (word === 'default') {
      out[word] = completed(node)
    } else {
      out[word] = value
    }
  }
  return out
}

/** The API server judges a default by its CEL rules before it fills in the defaults below it. */
function completed(node: Node): unknown {
  if (node['type'] !== 'object') return node['default']
  const properties = Object.entries((node['properties'] ?? {}) as Record<string, Node>)
  const below = properties.filter(([, child]) => 'default' in child)
  return {
    ...Object.fromEntries(below.map(([name, child]) => [name, completed(child)])),
    ...(node['default'] as Node),
  }
}

const hasDefault = (node: Node, name: string) =>
  'default' in ((node['properties'] as Record<string, Node>)[name] ?? {})
