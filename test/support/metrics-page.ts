import type { Output } from '#api/gen/write'
import { ownRegistries } from './exported-metrics.ts'

const HEAD = `<!-- Made by \`npm run gen\` from what the programs register; do not edit. -->

# Metrics

What the programs of Palisade measure, on port 9464 over TLS at \`/metrics\`. Names and labels are part of the interface: [alerts](../runbooks/README.md) and [dashboards](../dashboards.md) rest on them. Prometheus keeps its own \`namespace\` and \`endpoint\`, so these labels become \`exported_namespace\` and \`exported_endpoint\` there. Each program also has \`process_*\` and \`nodejs_*\` of prom-client.
`

interface Described {
  readonly name: string
  readonly help: string
  readonly type: unknown
  readonly labelNames?: readonly string[]
}

const row = ({ name, help, type, labelNames = [] }: Described): string =>
  `| \`${name}\` | ${String(type)} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`

/** The page as the registries have it. */
export function metricsPage(): Output {
  const sections = Object.entries(ownRegistries()).map(([program, registry]) => {
    const own = (registry.getMetricsAsArray() as unknown as Described[])
      .filter(({ name }) => !/^(process|nodejs)_/.test(name))
      .map(row)
    return [
      `## ${program}`,
      '',
      '| Metric | Type | Labels | Meaning |',
      '| --- | --- | --- | --- |',
      ...own,
      '',
    ].join('\n')
  })
  return { path: 'docs/reference/metrics.md', text: [HEAD, ...sections].join('\n') }
}
