import { parser } from '@prometheus-io/lezer-promql'

/** A series that an expression asks for, as it is written. */
export interface Selector {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly text: string
  /** Functions around it, the innermost first. */
  readonly within: readonly string[]
}

interface Node {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly parent: Node | null
  getChild(name: string): Node | null
}

/** Texts that are no PromQL, by where they stand. */
export function errorsIn(expr: string): readonly string[] {
  const errors: string[] = []
  parser.parse(expr).iterate({
    enter: ({ type, from }) => void (type.isError && errors.push(`at ${from} of: ${expr}`)),
  })
  return errors
}

export function selectorsIn(expr: string): readonly Selector[] {
  const selectors: Selector[] = []
  parser.parse(expr).iterate({
    enter: ({ name, node }) =>
      void (name === 'VectorSelector' && selectors.push(selectorAt(node, expr))),
  })
  return selectors
}

/** Names of the metrics that an expression reads, in order and once each. */
export const metricsIn = (expr: string): readonly string[] => [
  ...new Set(selectorsIn(expr).map(({ metric }) => metric)),
]

function selectorAt(node: Node, expr: string): Selector {
  const text = expr.slice(node.from, node.to)
  const name = node.getChild('Identifier')
  const within: string[] = []
  for (let at = node.parent; at; at = at.parent) {
    const called = at.name === 'FunctionCall' ? at.getChild('FunctionIdentifier') : null
    if (called) within.push(expr.slice(called.from, called.to))
  }
  const matchers = [...text.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)]
  return {
    metric: name ? expr.slice(name.from, name.to) : '',
    labels: Object.fromEntries(
      matchers.map(([, label = '', , value = '']) => [label, value] as const),
    ),
    text,
    within,
  }
}
