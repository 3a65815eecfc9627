import type { CheckedBatch } from './checked-log.ts'
import { place, type Finding } from './findings.ts'
import { isOf, keyIdText, successorIn } from './key-chain.ts'
import type { LogCheckpoint } from './log-checkpoint.ts'
import { openNote, type NoteVerifier } from './note.ts'

/** What a key has signed, in order of the log. */
export interface KeyUse {
  /** Eight hex digits. */
  readonly key: string
  /** `epoch/seq` of the first and the last record below its batches. */
  readonly from: string
  readonly to: string
  readonly batches: number
}

/** A checkpoint with which a key made room for the next one. */
export interface HandedOver {
  readonly epoch: number
  readonly last: number
  /** Of the keys that signed it. */
  readonly keyIds: readonly number[]
  /** Text form of the next key. */
  readonly nextKey: string
}

type Opened = { readonly text: string; readonly keyIds: readonly number[] }

/** The keys that may sign where a verification has come to: one that has handed over signs nothing more. */
export class SigningKeys {
  readonly handOvers: HandedOver[] = []
  readonly #used = new Map<number, Omit<KeyUse, 'key'>>()
  #now: readonly NoteVerifier[]

  constructor(given: readonly NoteVerifier[]) {
    this.#now = given
  }

  used(): KeyUse[] {
    return [...this.#used].map(([keyId, use]) => ({ key: keyIdText(keyId), ...use }))
  }

  areOf(log: string): boolean {
    return isOf(log, this.#now)
  }

  /** What was signed, and by which keys of now; a batch that a given key signed was opened with its line. */
  open({ signed, keyIds, note }: CheckedBatch): Opened | undefined {
    const own = keyIds.filter((keyId) => this.#now.some((key) => key.keyId === keyId))
    if (signed !== undefined && own.length > 0) return { text: signed, keyIds: own }
    return note === undefined ? undefined : openNote(note, this.#now)
  }

  /** Counts what was signed here, and goes over to the next key where one hands over to it. */
  goOn(batch: CheckedBatch, said: LogCheckpoint, keyIds: readonly number[]): Finding | undefined {
    if (said.nextKey === undefined) {
      this.#count(batch, keyIds)
      return undefined
    }
    const { epoch, first, last } = batch
    const next = successorIn(batch.note ?? '', said)
    if (!next) {
      const where = place(epoch, first, last)
      return { code: 'SignatureInvalid', where, detail: 'the key it hands over to did not sign it' }
    }
    const old = keyIds.filter((keyId) => keyId !== next.keyId)
    this.#count(batch, [...old, next.keyId])
    this.handOvers.push({ epoch, last, keyIds: old, nextKey: said.nextKey })
    this.#now = [...this.#now.filter(({ keyId }) => !keyIds.includes(keyId)), next]
    return undefined
  }

  #count({ epoch, first, last }: CheckedBatch, keyIds: readonly number[]): void {
    for (const keyId of keyIds) {
      const { from = place(epoch, first), batches = 0 } = this.#used.get(keyId) ?? {}
      this.#used.set(keyId, { from, to: place(epoch, last), batches: batches + 1 })
    }
  }
}
