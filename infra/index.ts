import { alertGroups } from '../observability/alerts.ts'
import { dashboardFiles } from '../observability/dashboard-files.ts'
import { readStackConfig } from './config.ts'
import { platform } from './program.ts'

const config = readStackConfig()
const { runbooks } = config.monitoring

export const { gatewayUrl, namespaces } = platform(config, {
  ruleGroups: alertGroups({ runbooks, ownDatabase: config.postgres.existing === undefined }),
  dashboards: dashboardFiles(runbooks),
})
