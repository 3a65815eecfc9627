const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'offset'])

/** Names of the metrics that a PromQL expression reads, in order and once each. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
  const words = bare.match(/(?<![\w.:])[A-Za-z_:][\w:]*(?![\w:]|\s*\()/g) ?? []
  return [...new Set(words)].filter((word) => !KEYWORDS.has(word))
}
