import type { ProviderConfig } from './config.ts'
import type { EngineLog } from './engine-log.ts'
import type { KubeApi } from './kubernetes/api.ts'

/** What a method needs besides its request. */
export interface ProviderContext {
  readonly api: KubeApi
  readonly config: ProviderConfig
  readonly log: EngineLog
}
