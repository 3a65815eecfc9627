import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
} from '@grafana/grafana-foundation-sdk/common'
import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import { framed, newest, type PanelBuilder, targets } from './panel.ts'
import { runbookLink } from './variables.ts'

const STATES = {
  '0': { text: 'silent', color: 'green', index: 0 },
  '1': { text: 'pending', color: 'orange', index: 1 },
  '2': { text: 'firing', color: 'red', index: 2 },
}

/** Silence has no series, so it is written as 0: no data then always means a broken query. */
const stateOf = (alert: string): string =>
  `2 * max(ALERTS{alertname="${alert}",alertstate="firing"}) or max(ALERTS{alertname="${alert}"}) or vector(0)`

/** One tile for each alert, which is a link to its page. */
export function alertTiles(alerts: readonly string[], span = 24): PanelBuilder {
  const panel = framed(
    new stat.PanelBuilder(),
    {
      title: 'Alerts',
      tells:
        'Alerts about what this dashboard shows. A tile leads to the runbook page of its alert.',
      unit: 'none',
      span,
    },
    24,
    alerts.length > 8 ? 6 : 4,
  )
    .reduceOptions(newest())
    .colorMode(BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.ValueAndName)
    .mappings([{ type: MappingType.ValueToText, options: STATES }])
  const queries = Object.fromEntries(alerts.map((alert) => [alert, stateOf(alert)]))
  for (const target of targets(queries)) panel.withTarget(target.instant())
  for (const alert of alerts) {
    panel.withOverride({
      matcher: { id: 'byName', options: alert },
      properties: [{ id: 'links', value: [{ ...runbookLink(alert), targetBlank: true }] }],
    })
  }
  return panel
}
