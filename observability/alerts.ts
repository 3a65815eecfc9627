import { type Alert, rule } from './alert.ts'
import { AUDIT } from './alerts/audit.ts'
import { CERTIFICATES } from './alerts/certificates.ts'
import { DATABASE } from './alerts/database.ts'
import { GATEWAY } from './alerts/gateway.ts'
import { HEARTBEAT } from './alerts/heartbeat.ts'
import { LOGINS } from './alerts/logins.ts'
import { OPERATOR } from './alerts/operator.ts'
import { PARTS } from './alerts/parts.ts'
import { ROTATION } from './alerts/rotation.ts'

export const GROUPS: Readonly<Record<string, readonly Alert[]>> = {
  gateway: GATEWAY,
  logins: LOGINS,
  parts: PARTS,
  operator: OPERATOR,
  rotation: ROTATION,
  audit: AUDIT,
  database: DATABASE,
  certificates: CERTIFICATES,
  heartbeat: HEARTBEAT,
}
export const ALERTS: readonly Alert[] = Object.values(GROUPS).flat()

/** The groups of a PrometheusRule; `runbooks` is where the pages can be read. */
export const alertGroups = (runbooks?: string) =>
  Object.entries(GROUPS).map(([name, alerts]) => ({
    name: `palisade-${name}`,
    rules: alerts.map((alert) => rule(alert, runbooks)),
  }))
