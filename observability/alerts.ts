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
import { metricsIn } from './promql.ts'

const GROUPS: Readonly<Record<string, readonly Alert[]>> = {
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

/** Asks the exporter of our own database, which is not there when the database is somebody else's. */
const asksOwnDatabase = ({ expr }: Alert): boolean =>
  metricsIn(expr).some((metric) => metric.startsWith('cnpg_'))

export interface AlertsWish {
  /** Where the pages can be read. */
  readonly runbooks?: string | undefined
  /** False leaves out what nobody measures there: an alert on absence would fire for ever. */
  readonly ownDatabase: boolean
}

/** The groups of a PrometheusRule. */
export const alertGroups = ({ runbooks, ownDatabase }: AlertsWish) =>
  Object.entries(GROUPS).map(([name, alerts]) => ({
    name: `palisade-${name}`,
    rules: alerts
      .filter((alert) => ownDatabase || !asksOwnDatabase(alert))
      .map((alert) => rule(alert, runbooks)),
  }))
