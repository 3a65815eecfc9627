import { isBeyond, lostRange, sameEnd, type EpochOpening } from './epoch-opening.ts'
import type { CheckedBatch, CheckedLog } from './checked-log.ts'
import { place, type Finding } from './findings.ts'
import { parseLogCheckpoint } from './log-checkpoint.ts'
import { EMPTY_ROOT } from './merkle.ts'
import { toldAt } from './told.ts'

/** What two people gave up when they opened an epoch after a restore. */
export interface Loss {
  /** The epoch that they opened. */
  readonly epoch: number
  /** `1/10411..10502`. */
  readonly range: string
  readonly opening: EpochOpening
  /** From the record; absent when that is not there. */
  readonly decision?: Decision
}

export interface Decision {
  /** Logins of the database. */
  readonly people: readonly [string, string]
  readonly reference: string
  /** By the sealer's clock. */
  readonly at: Date
}

export interface EpochChecks {
  readonly losses: readonly Loss[]
  readonly findings: readonly Finding[]
}

/** The opening that a checkpoint tells of; what is no checkpoint is found elsewhere. */
export function openingOf({ signed, note }: CheckedBatch): EpochOpening | undefined {
  try {
    return parseLogCheckpoint(signed ?? textOf(note ?? '')).opening
  } catch {
    return undefined
  }
}

const textOf = (note: string) => note.slice(0, note.lastIndexOf('\n\n') + 1)

/**
 * Each epoch after the first must begin with a checkpoint that says what it goes on from and what was lost, and with
 * the record of two people who decided so. Anything else that is missing was cut.
 */
export function verifyEpochs(log: CheckedLog): EpochChecks {
  const losses: Loss[] = []
  const findings: Finding[] = []
  let before = { epoch: 1, size: 0, root: EMPTY_ROOT as Uint8Array }
  for (const batch of log.batches) {
    if (batch.epoch > 1 && batch.epoch !== before.epoch) {
      const loss = lossOf(log, batch, before)
      if ('code' in loss) findings.push(loss)
      else losses.push(loss)
    }
    before = { epoch: batch.epoch, size: batch.last, root: batch.root }
  }
  return { losses, findings }
}

function lossOf(
  log: CheckedLog,
  batch: CheckedBatch,
  before: EpochOpening['survives'],
): Loss | Finding {
  const { epoch } = batch
  const opening = openingOf(batch)
  if (!opening) return unexplained(batch, 'no checkpoint says what it goes on from')
  const { survives, lost } = opening
  if (isBeyond(survives, before)) {
    const from = survives.epoch === before.epoch ? before.size + 1 : 1
    const detail = `epoch ${epoch} goes on from ${place(survives.epoch, survives.size)}`
    return { code: 'TailCut', where: place(survives.epoch, from, survives.size), detail }
  }
  if (!sameEnd(survives, before) || lost.epoch + 1 !== epoch) {
    return unexplained(batch, `it does not go on from ${place(before.epoch, before.size)}`)
  }
  const decision = decisionOf(log, batch, opening)
  if (decision === 'other')
    return unexplained(batch, 'its first record is not the one of two people')
  return { epoch, range: lostRange(opening), opening, ...(decision ? { decision } : {}) }
}

function decisionOf(
  log: CheckedLog,
  { epoch }: CheckedBatch,
  opening: EpochOpening,
): Decision | 'other' | undefined {
  const event = toldAt(log, epoch, 1)
  // Deleted, which is found elsewhere, or cut; the signed checkpoint still says what was lost.
  if (event === 'gone') return undefined
  if (event === 'other') return event
  const { eventType, time, details = {} } = event
  const people = [String(details['proposedBy']), String(details['approvedBy'])] as const
  const isOfThis = details['lost'] === lostRange(opening) && people[0] !== people[1]
  return eventType === 'audit.epoch-opened' && isOfThis
    ? { people, reference: String(details['reference']), at: new Date(String(time)) }
    : 'other'
}

const unexplained = (batch: CheckedBatch, detail: string): Finding => ({
  code: 'EpochUnexplained',
  where: place(batch.epoch, batch.first, batch.last),
  detail,
})
