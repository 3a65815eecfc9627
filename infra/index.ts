import { alertGroups } from '../observability/alerts.ts'
import { readStackConfig } from './config.ts'
import { platform } from './program.ts'

export const { gatewayUrl, namespaces } = platform(readStackConfig(), alertGroups())
