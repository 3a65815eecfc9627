/** `page` wakes somebody, `ticket` waits for the working day, `none` is for machines. */
export type Severity = 'page' | 'ticket' | 'none'

/** One alert: what is wrong, for how long, how bad, and the page that says what to do. */
export interface Alert {
  readonly name: string
  readonly expr: string
  readonly for: `${number}${'s' | 'm' | 'h'}`
  readonly severity: Severity
  /** One line with the value that fired; the only text with placeholders. */
  readonly summary: string
  /** What it means for those who use the platform. */
  readonly description: string
}

/** Relative to the repository; a team may publish its pages elsewhere. */
export const RUNBOOKS = 'docs/runbooks'

export const runbookUrl = (alert: Alert, base = RUNBOOKS): string => `${base}/${alert.name}.md`

/** As Prometheus reads it. */
export const rule = (alert: Alert, base?: string) => ({
  alert: alert.name,
  expr: alert.expr,
  for: alert.for,
  labels: { severity: alert.severity },
  annotations: {
    summary: alert.summary,
    description: alert.description,
    runbook_url: runbookUrl(alert, base),
  },
})
