import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import * as table from '@grafana/grafana-foundation-sdk/table'
import { framed, type PanelBuilder, type Shown, targets } from './panel.ts'

export interface Column {
  readonly expr: string
  readonly unit: string
}

interface Rows extends Omit<Shown, 'queries' | 'unit' | 'bad'> {
  /** Labels that make a row, with the words above their columns. */
  readonly by: Readonly<Record<string, string>>
  readonly columns: Readonly<Record<string, Column>>
}

/** How each of several things is at this moment, a row for each. */
export function rows({ by, columns, ...shown }: Rows): PanelBuilder {
  const panel = framed(new table.PanelBuilder(), { ...shown, unit: 'none' }, 24, 8)
  const queries = Object.fromEntries(Object.entries(columns).map(([name, c]) => [name, c.expr]))
  for (const target of targets(queries))
    panel.withTarget(target.instant().format(PromQueryFormat.Table))
  const valueOf = (i: number) =>
    Object.keys(columns).length === 1 ? 'Value' : `Value #${String.fromCharCode(65 + i)}`
  panel.withTransformation({ id: 'merge', options: {} })
  panel.withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      renameByName: {
        ...by,
        ...Object.fromEntries(Object.keys(columns).map((name, i) => [valueOf(i), name])),
      },
    },
  })
  for (const [name, { unit }] of Object.entries(columns)) {
    panel.withOverride({
      matcher: { id: 'byName', options: name },
      properties: [{ id: 'unit', value: unit }],
    })
  }
  return panel
}
