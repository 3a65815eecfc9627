import type pg from 'pg'
import { breathe } from './breath.ts'

export interface LogPlace {
  readonly epoch: number
  readonly seq: number
}

export interface SecretState {
  readonly version: number
  readonly deleted: boolean
}

/** A secret after its last sealed change, and the place of that. */
export interface LoggedSecret extends LogPlace, SecretState {}

export const isBehind = (a: LogPlace, b: LogPlace): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)

/** Secrets as the sealed log has them, read from its beginning on: it takes room for each secret, and none for records. */
export class LoggedSecrets {
  readonly #client: pg.ClientBase
  readonly #signal: AbortSignal | undefined
  readonly #secrets = new Map<string, LoggedSecret>()
  #place: LogPlace = { epoch: 0, seq: 0 }

  constructor(client: pg.ClientBase, signal?: AbortSignal) {
    this.#client = client
    this.#signal = signal
  }

  /** Reads on up to this place, or nothing when it has been there. Secrets up to `done` are left out. */
  async readTo(end: LogPlace, done: string): Promise<void> {
    while (isBehind(this.#place, end)) {
      // No place left is a seal that somebody took away; the verification of the log says so.
      let reached = end
      for (const { secret, ...last } of await this.#nextChanges(end)) {
        if (secret === null) reached = last
        else if (secret > done) this.#secrets.set(secret, last)
      }
      this.#place = reached
      await breathe(this.#signal)
    }
  }

  /** Each is asked for once. */
  take(secret: string): LoggedSecret | undefined {
    const found = this.#secrets.get(secret)
    this.#secrets.delete(secret)
    return found
  }

  /** Those nobody asked for. */
  left(): Iterable<[string, LoggedSecret]> {
    return this.#secrets
  }

  /** The row without a secret is the place that the page reached. */
  async #nextChanges(end: LogPlace): Promise<(LoggedSecret & { secret: string | null })[]> {
    type Row = Omit<LoggedSecret, 'seq'> & { secret: string | null; seq: string }
    const { rows } = await this.#client.query<Row>(
      'select * from palisade.sealed_secret_changes($1, $2, $3, $4)',
      [this.#place.epoch, this.#place.seq, end.epoch, end.seq],
    )
    return rows.map((row) => ({ ...row, seq: Number(row.seq) }))
  }
}
