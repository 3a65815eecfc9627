import { alertGroups } from '../observability/alerts.ts'
import { dashboardFiles } from '../observability/dashboard-files.ts'
import { readStackConfig } from './config.ts'
import { platform } from './program.ts'

export const { gatewayUrl, namespaces } = platform(readStackConfig(), {
  ruleGroups: alertGroups(),
  dashboards: dashboardFiles(),
})
