import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus'
import { DASHBOARDS } from '../dashboards.ts'
import { render } from './dashboard.ts'

/** A query as a panel asks it. */
export interface Question {
  readonly dashboard: string
  readonly panel: string
  readonly legend: string
  readonly expr: string
}

export const panelsOf = (dashboard: Dashboard): readonly Panel[] =>
  (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row')

export const queriesOf = (panel: Panel): readonly Dataquery[] =>
  (panel.targets ?? []) as unknown as readonly Dataquery[]

/** Every query of every dashboard. */
export const questions = (): readonly Question[] =>
  DASHBOARDS.map(render).flatMap((dashboard) =>
    panelsOf(dashboard).flatMap((panel) =>
      queriesOf(panel).map(({ expr, legendFormat }) => ({
        dashboard: dashboard.uid ?? '',
        panel: panel.title ?? '',
        legend: legendFormat ?? '',
        expr,
      })),
    ),
  )

/** What Grafana puts in for its variables: everything is chosen, and four scrapes make a rate. */
export const filled = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '1m').replace(/\$(replica|namespace)\b/g, '.*')
