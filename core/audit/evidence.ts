import type { Archive } from './archives.ts'
import type { LineEvidence } from './checked-log.ts'
import type { Cut } from './cuts.ts'
import type { Loss } from './epochs.ts'
import type { WitnessLine } from './expectations.ts'

/** What is known from elsewhere. The more of it, the more a verification proves. */
export interface Evidence extends LineEvidence {
  /** Checkpoints kept outside the database. */
  readonly checkpoints: readonly string[]
  readonly witness: readonly WitnessLine[]
  /** Pieces that were archived; with those of all cuts the whole history is verified. */
  readonly archives?: readonly Archive[]
}

/** A cut, and how many of its records are neither in the log nor in an archive that was given. */
export interface CutPart extends Cut {
  readonly missing: number
}

/** A loss, and how many of its records the witness saw. */
export interface LostPart extends Loss {
  readonly missing: number
}
