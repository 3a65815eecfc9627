import type { NoteSigner } from '#core/audit/note'

/** Signs checkpoints; the key cannot be exported. */
export interface CheckpointSigner extends NoteSigner {
  /** Earlier versions of the key, oldest first: what they signed stays good, and the last of them hands over. */
  readonly earlier?: readonly NoteSigner[]
}

/** A place outside the database that remembers the newest checkpoint. */
export interface CheckpointSink {
  readonly name: string
  /** Shortest time between two writes, in ms, where it is more than the publisher's own. */
  readonly everyMs?: number
  newest(): Promise<string | undefined>
  /**
   * Replaces what is remembered, but never by something older: a sealer that slept wakes up with an old checkpoint in
   * its hand, and putting it back would hide a database that was cut to that size.
   * @returns false when the place remembers as much or more, or has forgotten everything since it was written here:
   * it has to be looked at and compared, and what is published after that is taken
   */
  publish(note: string): Promise<boolean>
}

export interface SealerLog {
  info(keys: object, sentence: string): void
  warn(keys: object, sentence: string): void
  error(keys: object, sentence: string): void
}
