import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ownRegistries } from './support/exported-metrics.ts'

const PAGE = join(import.meta.dirname, '../docs/reference/metrics.md')

const HEAD = `# Metrics

What the programs of Palisade measure, on port 9464 over TLS at \`/metrics\`. Names and labels are part of the interface: [alerts](../runbooks/README.md) and [dashboards](../dashboards.md) rest on them. Prometheus keeps its own \`namespace\` and \`endpoint\`, so these labels become \`exported_namespace\` and \`exported_endpoint\` there. Each program also has \`process_*\` and \`nodejs_*\` of prom-client.
`

interface Described {
  readonly name: string
  readonly help: string
  readonly type: unknown
  readonly labelNames?: readonly string[]
}

/** The page as the registries have it; \`npm run unit -- -u\` writes it. */
function page(): string {
  const sections = Object.entries(ownRegistries()).map(([program, registry]) => {
    const own = (registry.getMetricsAsArray() as unknown as Described[])
      .filter(({ name }) => !/^(process|nodejs)_/.test(name))
      .map((metric) => {
        const labels = metric.labelNames ?? []
        return `| \`${metric.name}\` | ${String(metric.type)} | ${labels.map((l) => `\`${l}\``).join(', ')} | ${metric.help} |`
      })
    return [
      `## ${program}`,
      '',
      '| Metric | Type | Labels | Meaning |',
      '| --- | --- | --- | --- |',
      ...own,
      '',
    ].join('\n')
  })
  return [HEAD, ...sections].join('\n')
}

describe('docs/reference/metrics.md', () => {
  it('lists every metric with its labels and meaning', async () => {
    await expect(page()).toMatchFileSnapshot(PAGE)
  })
})
