/** Everything that a verification can find. Closed, so that each has a name people can look up. */
export const FINDINGS = {
  RecordEdited: 'a record differs from what was committed',
  RecordDeleted: 'a sealed record is gone',
  RecordsSwapped: 'two records stand in each other’s place',
  RecordForged: 'a record does not carry the MAC of its writer',
  RecordMisfiled: 'a record lies under another id, tenant or key than its own bytes name',
  RecordUnaccounted: 'a record is neither sealed nor waiting to be sealed',
  UnsealedDeleted: 'a record that was committed but not sealed yet is gone',
  SealDeleted: 'a seal in the middle of the log is gone',
  SealEdited: 'the order of the log was rewritten',
  BatchEdited: 'a batch does not say what its signed checkpoint says',
  BatchDeleted: 'a batch in the middle of the log is gone',
  SignatureInvalid: 'a checkpoint was not signed by a key of this log',
  TailCut: 'the newest part of the log was deleted from this database',
  RestoredDump: 'the database is an older one than a checkpoint outside of it',
  EpochUnexplained: 'an epoch begins without the decision of two people',
  Forked: 'a checkpoint outside shows another history of the same records',
  ArchiveDiffers: 'an archive is not the one that the log was cut after',
  CutUnproven: 'records were cut, and nothing given shows that it was no theft',
} as const
export type FindingCode = keyof typeof FINDINGS

export interface Finding {
  readonly code: FindingCode
  /** Where: `epoch/seq`, a range of them, or the id of a record that has no place yet. */
  readonly where: string
  readonly detail: string
}

export const place = (epoch: number, first: number, last = first): string =>
  first === last ? `${epoch}/${first}` : `${epoch}/${first}..${last}`
