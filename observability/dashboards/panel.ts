import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import type * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { DATASOURCE, runbookLink } from './variables.ts'

/** Where a value stops being in order. */
export type Bad = { readonly above: number } | { readonly below: number }

/** What a panel shows, in the words of whoever reads it at night. */
export interface Shown {
  readonly title: string
  /** What it tells and what is normal; Grafana shows it at the panel's corner. */
  readonly tells: string
  /** Of the values, by Grafana's names of units. */
  readonly unit: string
  /** Queries by the name that their series get. */
  readonly queries: Readonly<Record<string, string>>
  readonly bad?: Bad
  /** Alerts about the same thing; their pages are linked. */
  readonly alerts?: readonly string[]
  /** Columns of 24. */
  readonly span?: number
}

export type PanelBuilder = Builder<Panel>
type Kind = timeseries.PanelBuilder | stat.PanelBuilder | table.PanelBuilder

/** How something went, as lines. */
export const overTime = (shown: Shown): PanelBuilder => {
  const panel = framed(new timeseries.PanelBuilder(), shown, 8, 8).min(0)
  for (const target of targets(shown.queries)) panel.withTarget(target.range())
  if (!shown.bad) return panel
  const dashed = new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed)
  return panel.thresholdsStyle(dashed)
}

/** How something is at this moment, as a number that is green or red. */
export const now = (shown: Shown): PanelBuilder => {
  const panel = framed(new stat.PanelBuilder(), shown, 4, 4).reduceOptions(newest())
  for (const target of targets(shown.queries)) panel.withTarget(target.instant())
  return panel
}

/** Title, words, unit, source, threshold and runbook pages: what every panel has. */
export function framed<P extends Kind>(
  panel: P,
  { title, tells, unit, bad, alerts = [], span }: Omit<Shown, 'queries'>,
  usualSpan: number,
  height: number,
): P {
  panel.title(title).description(tells).unit(unit).datasource(DATASOURCE)
  panel.span(span ?? usualSpan).height(height)
  panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps(bad)))
  panel.links(
    alerts.map((name) => {
      const { title: words, url } = runbookLink(name)
      return new DashboardLinkBuilder(words).type(DashboardLinkType.Link).url(url).targetBlank(true)
    }),
  )
  return panel
}

/** Of the samples of a series. */
export const newest = () => new ReduceDataOptionsBuilder().calcs(['lastNotNull'])

export const targets = (queries: Shown['queries']): readonly DataqueryBuilder[] =>
  Object.entries(queries).map(([legend, expr], i) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .datasource(DATASOURCE)
      .expr(expr)
      .legendFormat(legend),
  )

const steps = (bad: Bad | undefined) => {
  if (!bad) return [{ value: null, color: 'green' }]
  return 'above' in bad
    ? [
        { value: null, color: 'green' },
        { value: bad.above, color: 'red' },
      ]
    : [
        { value: null, color: 'red' },
        { value: bad.below, color: 'green' },
      ]
}
