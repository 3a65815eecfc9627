/** What of the database's volume is taken, in bytes. */
export interface VolumeUse {
  readonly data: number
  readonly wal: number
  /** False where the server does not let us list the write-ahead log: `wal` is its configured bound then. */
  readonly walIsListed: boolean
}

export interface VolumeStore {
  volumeUse(): Promise<VolumeUse>
}
