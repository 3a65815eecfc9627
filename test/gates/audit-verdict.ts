/** What `npm audit --json` says of one package; `via` names the advisories. */
export interface AuditReport {
  readonly vulnerabilities: Record<
    string,
    { readonly severity: string; readonly via: readonly (string | { readonly url: string })[] }
  >
}

/** An accepted finding. It must say why, and it ends on `until` (ISO date). */
export interface Exception {
  readonly advisory: string
  readonly reason: string
  readonly until: string
}

/** `2099` or `next year` would sort behind every day that comes. */
const isDated = ({ until, reason }: Exception): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(until) && reason.trim() !== ''

/** Lines to print for findings that no live exception covers; empty means the gate is open. */
export function openFindings(
  report: AuditReport,
  exceptions: readonly Exception[],
  today: string,
): string[] {
  const accepted = new Set(
    exceptions.filter((e) => isDated(e) && e.until >= today).map((e) => e.advisory),
  )
  return Object.entries(report.vulnerabilities).flatMap(([name, { severity, via }]) =>
    via
      .filter((cause): cause is { url: string } => typeof cause !== 'string')
      .filter((cause) => !accepted.has(cause.url))
      .map((cause) => `${name}: ${severity}, ${cause.url}`),
  )
}
