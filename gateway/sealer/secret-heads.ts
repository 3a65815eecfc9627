import type pg from 'pg'
import { place } from '#core/audit/findings'
import { isBehind, LoggedSecrets, type LoggedSecret, type SecretState } from './logged-secrets.ts'
import { cutThrough, nextRows, type CutThrough, type SecretRow } from './secret-rows.ts'

/** How the row of a secret can differ from what the log says of it. Closed: the runbook has a way for each. */
export type HeadFindingCode =
  'HeadRolledBack' | 'HeadAhead' | 'DeletionDiffers' | 'HeadMissing' | 'HeadUnknown'

export interface HeadFinding {
  readonly code: HeadFindingCode
  /** Its id. */
  readonly secret: string
  readonly detail: string
}

export interface HeadComparison {
  /** Rows that were compared. */
  readonly secrets: number
  readonly count: number
  /** The first of them. */
  readonly findings: readonly HeadFinding[]
}

const PAGE = 2_000
const FINDINGS = 20
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000'

/**
 * Holds the row of each secret against the last change of it in the log. A row that was put back to what it once was
 * carries a MAC that holds, and no read notices. Goes by what the database answers, as the check of the log does.
 */
export async function compareHeads(
  client: pg.ClientBase,
  signal?: AbortSignal,
  pageSize = PAGE,
): Promise<HeadComparison> {
  const logged = new LoggedSecrets(client, signal)
  const findings: HeadFinding[] = []
  let [secrets, count] = [0, 0]
  const note = (found: HeadFinding | undefined) => {
    if (!found) return
    count += 1
    if (findings.length < FINDINGS) findings.push(found)
  }
  let [done, isMore] = [BEFORE_ALL, true]
  while (isMore) {
    const { rows, end } = await nextRows(client, done, pageSize)
    await logged.readTo(end, done)
    // Asked behind both: what a cut took while they were read is nothing that anybody did to a row.
    const cut = await cutThrough(client)
    for (const row of rows) note(judge(row, stillThere(logged.take(row.secret), cut), cut))
    secrets += rows.length
    done = rows.at(-1)?.secret ?? done
    isMore = rows.length === pageSize
    if (!isMore) for (const [id, last] of logged.left()) note(missing(id, stillThere(last, cut)))
  }
  return { secrets, count, findings }
}

const stillThere = (last: LoggedSecret | undefined, cut: CutThrough | undefined) =>
  last && cut && !isBehind(cut, last) ? undefined : last

function judge(
  { secret, version, deleted, updatedAt, waiting }: SecretRow,
  sealed: LoggedSecret | undefined,
  cut: CutThrough | undefined,
): HeadFinding | undefined {
  const last = waiting ?? sealed
  const differs = (code: HeadFindingCode, says: string): HeadFinding => {
    const row = `the row says ${stateText({ version, deleted })}`
    return { code, secret, detail: `${row}, ${says}` }
  }
  if (!last) {
    // Its last record may be one of those that retention took; they are in the archives.
    if (cut && updatedAt <= cut.sealedAt) return undefined
    return differs('HeadUnknown', 'the log knows no such secret')
  }
  const where = waiting || !sealed ? 'a record that waits' : `the log at ${placeOf(sealed)}`
  const says = `${where} says ${stateText(last)}`
  if (version < last.version) return differs('HeadRolledBack', says)
  if (version > last.version) return differs('HeadAhead', says)
  return deleted === last.deleted ? undefined : differs('DeletionDiffers', says)
}

function missing(secret: string, last: LoggedSecret | undefined): HeadFinding | undefined {
  if (!last) return undefined
  const detail = `there is no row, the log at ${placeOf(last)} says ${stateText(last)}`
  return { code: 'HeadMissing', secret, detail }
}

const placeOf = ({ epoch, seq }: LoggedSecret) => place(epoch, seq)
const stateText = ({ version, deleted }: SecretState) =>
  `version ${version}${deleted ? ', deleted' : ''}`
