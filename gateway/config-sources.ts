import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { PalisadeError } from '#core/problem'
import { Sealed } from '#core/sealed'
import type { Profile } from './profile.ts'

type Values = Readonly<Record<string, string | undefined>>

export interface Sources {
  readonly vault: Values
  readonly file: Values
  readonly environment: Values
  readonly dotEnv: Values
}

interface Range {
  readonly min: number
  readonly max: number
  readonly byDefault: number
}

/** `PALISADE_REDIS_ADDR` is the setting `redis.addr`; a file and a Vault member are named like the setting. */
const PREFIX = 'PALISADE_'
const settingOf = (variable: string) =>
  variable.slice(PREFIX.length).toLowerCase().replaceAll('_', '.')
const variableOf = (setting: string) => PREFIX + setting.toUpperCase().replaceAll('.', '_')

/** One place that knows the order of the sources and which of them a profile takes. */
export class SettingSources {
  readonly #profile: Profile
  readonly #sources: Sources
  readonly #fallbacks = new Set<string>()

  constructor(profile: Profile, sources: Sources) {
    this.#profile = profile
    this.#sources = sources
  }

  /** Settings that came from where no other profile takes them: secrets of the environment, and all that stands in .env. */
  get fallbacks(): readonly string[] {
    return [...this.#fallbacks].sort()
  }

  text(name: string, byDefault?: string): string {
    const { vault, file, environment } = this.#sources
    const value = vault[name] ?? file[name] ?? environment[name] ?? this.#fromDotEnv(name)
    if (value !== undefined && value !== '') return value
    if (byDefault !== undefined) return byDefault
    throw missing(name)
  }

  secret(name: string): Sealed<string> {
    const { vault, file, environment } = this.#sources
    const value = vault[name] ?? file[name]
    if (value !== undefined && value !== '') return Sealed.of(value)
    const fallback = environment[name] ?? this.#fromDotEnv(name)
    if (fallback === undefined || fallback === '') throw missing(name)
    if (this.#profile !== 'dev') {
      throw new PalisadeError(
        'ERR_CONFIG_SOURCE_REFUSED',
        `${name} comes from the environment (${variableOf(name)}), profile is ${this.#profile}`,
      )
    }
    this.#fallbacks.add(name)
    return Sealed.of(fallback)
  }

  integer(name: string, { min, max, byDefault }: Range): number {
    const text = this.text(name, String(byDefault))
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new PalisadeError('ERR_CONFIG_INVALID', `${name} is no number from ${min} to ${max}`)
  }

  list(name: string): readonly string[] {
    return this.text(name, ' ')
      .split(/[\s,]+/)
      .filter((item) => item !== '')
  }

  #fromDotEnv(name: string): string | undefined {
    const value = this.#sources.dotEnv[name]
    if (value === undefined) return undefined
    if (this.#profile === 'dev') {
      this.#fallbacks.add(name)
      return value
    }
    throw new PalisadeError(
      'ERR_CONFIG_SOURCE_REFUSED',
      `${name} stands in .env, profile is ${this.#profile}`,
    )
  }
}

/** Files of a mounted Secret or ConfigMap, each a setting; none when it is not mounted. */
export async function readDirectory(directory: string, prefix: string): Promise<Values> {
  const names = await readdir(directory).catch(() => [])
  const values: Record<string, string> = {}
  for (const name of names) {
    const path = join(directory, name)
    // Kubernetes keeps its own links beside the files: ..data and a dated folder.
    if (name.startsWith('..') || !(await stat(path)).isFile()) continue
    values[prefix + name] = (await readFile(path, 'utf8')).replace(/\n$/, '')
  }
  return values
}

export function readEnvironment(env: Values): Values {
  const own = Object.entries(env).filter(([name]) => name.startsWith(PREFIX))
  return Object.fromEntries(own.map(([name, value]) => [settingOf(name), value]))
}

export async function readDotEnv(path: string): Promise<Values> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return readEnvironment(parseEnv(text))
}

const missing = (name: string) =>
  new PalisadeError('ERR_CONFIG_INVALID', `${name} is not set`, {
    remedy: `keep it in platform/gateway/settings, mount it as a file of that name, or set ${variableOf(name)}`,
  })
