import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { PanelBuilder } from './panel.ts'
import { COMMON } from './variables.ts'

export interface DashboardWish {
  /** Part of its address: it stays when the title changes. */
  readonly uid: `palisade-${string}`
  readonly title: string
  /** The question that it answers. */
  readonly tells: string
  readonly variables?: readonly Builder<VariableModel>[]
  /** Panels by the heading above them. */
  readonly rows: Readonly<Record<string, readonly PanelBuilder[]>>
}

const TAG = 'palisade'

/** As Grafana reads it: same wish, same document. */
export function render({ uid, title, tells, variables = [], rows }: DashboardWish): Dashboard {
  const others = new DashboardLinkBuilder('Palisade')
    .type(DashboardLinkType.Dashboards)
    .tags([TAG])
    .asDropdown(true)
    .keepTime(true)
  const builder = new DashboardBuilder(`Palisade / ${title}`)
    .uid(uid)
    .description(tells)
    .tags([TAG])
    .link(others)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    // A change made in the browser would be gone at the next start; it belongs here.
    .readonly()
    .variables([...COMMON(), ...variables])
  for (const [heading, panels] of Object.entries(rows)) {
    builder.withRow(new RowBuilder(heading))
    for (const panel of panels) builder.withPanel(panel)
  }
  const dashboard = builder.build()
  dashboard.panels?.forEach((panel, i) => (panel.id = i + 1))
  return dashboard
}
