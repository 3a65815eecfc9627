import { homedir } from 'node:os'
import { join } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

// The XDG base directory specification tells readers to ignore relative values.
const base = (value: string | undefined, fallback: string): string =>
  value?.startsWith('/') ? value : fallback

/** What may be deleted at any time and is made again: tools, packages, image archives. */
export const cacheDir = (env: Env = process.env): string =>
  join(base(env.XDG_CACHE_HOME, join(homedir(), '.cache')), 'palisade')

/** What belongs to this machine's cluster: keys, etcd, volumes, logs, sockets. */
export const stateDir = (env: Env = process.env): string =>
  join(base(env.XDG_STATE_HOME, join(homedir(), '.local', 'state')), 'palisade')

/** Where Node keeps what it compiled; without it each run compiles the SDK of the engine, a thousand files, anew. */
export const compiledDir = (): string => join(cacheDir(), 'compiled')

export const kubeconfigPath = (state: string = stateDir()): string => join(state, 'kubeconfig')

export const logDir = (state: string = stateDir()): string => join(state, 'logs')
