export interface Node {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly additionalProperties?: boolean | Node
  readonly enum?: readonly string[]
  readonly const?: string | number | boolean
  readonly default?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly maxLength?: number
  readonly 'x-kubernetes-validations'?: readonly { readonly message: string }[]
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
const code = (text: string) => `\`${text}\``

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** One row per field, in the order in which it is declared; lists are marked by [], maps by .<key>. */
export function fieldRows(node: Node, path = ''): string[][] {
  const rows: string[][] = []
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const here = path === '' ? name : `${path}.${name}`
    const needed = node.required?.includes(name) && child.default === undefined
    rows.push([code(here), kind(child), needed ? 'yes' : '', says(child)])
    rows.push(...fieldRows(child, here))
    if (child.items) rows.push(...fieldRows(child.items, `${here}[]`))
  }
  return rows
}

function kind(node: Node): string {
  if (node.const !== undefined) return code(String(node.const))
  if (node.enum) return node.enum.length > 12 ? 'a word, see below' : node.enum.map(code).join(', ')
  if (node.items) return `list of ${kind(node.items)}`
  if (typeof node.additionalProperties === 'object') return 'map of text'
  return node.type ?? 'any'
}

function says(node: Node): string {
  const rules = (node['x-kubernetes-validations'] ?? []).map(({ message }) => `Rule: ${message}.`)
  const shown = node.default !== undefined && typeof node.default !== 'object'
  const range = [
    ...(node.minimum === undefined ? [] : [`at least ${node.minimum}`]),
    ...(node.maximum === undefined ? [] : [`at most ${node.maximum}`]),
    ...(node.maxItems === undefined ? [] : [`at most ${node.maxItems} entries`]),
  ].join(', ')
  return [
    node.description ?? '',
    ...(shown ? [`Default: ${code(text(node.default))}.`] : []),
    ...(range === '' ? [] : [`(${range})`]),
    ...rules,
  ]
    .filter((part) => part !== '')
    .join(' ')
}
