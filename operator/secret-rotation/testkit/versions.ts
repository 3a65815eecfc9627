import { PalisadeError } from '#core/problem'
import type { WriteOutcome } from '../../ports.ts'

export const noAnswer = (code: 'ERR_BACKEND_UNREACHABLE' | 'ERR_STORE_UNREACHABLE') =>
  new PalisadeError(code, 'no answer from the test')

/** Keeps versions as the store does, and refuses a write on another number than the newest. */
export class Versions<T> {
  readonly at = new Map<string, T[]>()
  away = false
  /** Another replica writes after each reading of ours. */
  overtaken = false

  read(path: string, version?: number) {
    if (this.away) return Promise.reject(noAnswer('ERR_STORE_UNREACHABLE'))
    const all = this.at.get(path)
    if (!all) return Promise.resolve(undefined)
    const cas = version ?? all.length
    const value = all[cas - 1]
    if (this.overtaken) this.at.set(path, [...all, ...all.slice(-1)])
    return Promise.resolve(value === undefined ? undefined : { value, cas })
  }
  write(path: string, value: T, cas: number): Promise<WriteOutcome> {
    if (this.away) return Promise.reject(noAnswer('ERR_STORE_UNREACHABLE'))
    const all = this.at.get(path) ?? []
    if (all.length !== cas) return Promise.resolve({ kind: 'stale' })
    this.at.set(path, [...all, value])
    return Promise.resolve({ kind: 'written', cas: cas + 1 })
  }
}
