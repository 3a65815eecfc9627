import type { KubeApi } from '../kubernetes/api.ts'
import type { JsonMap } from '../values.ts'

/** `waiting` may become ready, `failed` will not by waiting. */
export type Readiness =
  { readonly state: 'ready' } | { readonly state: 'waiting' | 'failed'; readonly message: string }

/** One look at an object; a check asks for others only where the object does not tell by itself. */
export type Check = (live: JsonMap, api: KubeApi) => Readiness | Promise<Readiness>

export const READY: Readiness = { state: 'ready' }
export const waiting = (message: string): Readiness => ({ state: 'waiting', message })
export const failed = (message: string): Readiness => ({ state: 'failed', message })
