import { AUDIT_DASHBOARD } from './dashboards/audit.ts'
import type { DashboardWish } from './dashboards/dashboard.ts'
import { EDGE_DASHBOARD } from './dashboards/edge.ts'
import { GATEWAY } from './dashboards/gateway.ts'
import { OVERVIEW } from './dashboards/overview.ts'
import { POSTGRES } from './dashboards/postgres.ts'
import { REDIS } from './dashboards/redis.ts'
import { ROTATION_DASHBOARD } from './dashboards/rotation.ts'
import { SECRETS } from './dashboards/secrets.ts'
import { VAULT_DASHBOARD } from './dashboards/vault.ts'

/** One for each question that somebody on call asks, the first one first. */
export const DASHBOARDS: readonly DashboardWish[] = [
  OVERVIEW,
  EDGE_DASHBOARD,
  GATEWAY,
  SECRETS,
  ROTATION_DASHBOARD,
  AUDIT_DASHBOARD,
  POSTGRES,
  REDIS,
  VAULT_DASHBOARD,
]
