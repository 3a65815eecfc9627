export type Severity = 'page' | 'ticket' | 'none'

/** One alert: what is wrong, for how long, how bad, and the page that says what to do. */
export interface Alert {
  readonly name: string
  readonly expr: string
  readonly for: `${number}${'s' | 'm' | 'h'}`
  readonly severity: Severity
  readonly summary: string
}

const RUNBOOKS = 'docs/runbooks'
export const runbookPath = (alert: Alert): string => `${RUNBOOKS}/${alert.name}.md`

/** As Prometheus reads it. */
export const rule = (alert: Alert) => ({
  alert: alert.name,
  expr: alert.expr,
  for: alert.for,
  labels: { severity: alert.severity },
  annotations: { summary: alert.summary, runbook: runbookPath(alert) },
})
