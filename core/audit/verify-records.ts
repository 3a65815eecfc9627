import type { CheckedLog } from './checked-log.ts'
import type { Cut } from './cuts.ts'
import { Expectations, type WitnessLine } from './expectations.ts'
import type { Finding } from './findings.ts'
import type { CheckedRecord } from './rows.ts'

export interface RecordChecks {
  readonly findings: readonly Finding[]
  /** Records whose MAC could be checked, and those whose key was not at hand. */
  readonly authenticated: number
  readonly withoutKey: number
}

/** Compares each record with what was sealed, is pending, or was seen by a witness; then with its own MAC. */
export function verifyRecords(
  log: CheckedLog,
  witness: readonly WitnessLine[],
  cuts: readonly Cut[] = [],
): RecordChecks {
  const expected = new Expectations(log, witness, cuts)
  const findings: Finding[] = expected.missing()
  const changed: Changed[] = []
  let authenticated = 0
  let withoutKey = 0
  let row = 0
  for (const record of log.records) {
    const leaf = expected.leafOf(row)
    const where = () => expected.whereOf(row)
    if (!leaf) findings.push(unaccounted(record))
    else if (!equal(leaf, record.leaf)) {
      changed.push({ id: record.id, where: where(), leaf, is: record.leaf })
    } else if (record.mac === 'forged') findings.push(forged(record, where()))
    else {
      if (record.mac === 'unchecked') withoutKey += 1
      else authenticated += 1
      const isNumbered = (expected.tenantOf(row) ?? record.tenant) === record.tenant
      if (!record.filed || !isNumbered) findings.push(misfiled(record, where()))
    }
    row += 1
  }
  findings.push(...nameChanges(changed))
  findings.push(...contradictions(witness, expected))
  return { findings, authenticated, withoutKey }
}

interface Changed {
  readonly id: string
  readonly where: string
  /** What was committed. */
  readonly leaf: Uint8Array
  /** What its bytes hash to now. */
  readonly is: Uint8Array
}

/** Two changed records that fit each other's place were swapped; any other was edited. */
function nameChanges(changed: readonly Changed[]): Finding[] {
  const text = (leaf: Uint8Array) => Buffer.from(leaf).toString('hex')
  const wantedBy = new Map(changed.map((record) => [text(record.leaf), record]))
  const named = new Set<string>()
  const findings: Finding[] = []
  for (const { id, where, is, leaf } of changed) {
    if (named.has(id)) continue
    const other = wantedBy.get(text(is))
    if (other && equal(other.is, leaf)) {
      named.add(other.id)
      findings.push({
        code: 'RecordsSwapped',
        where: `${where} and ${other.where}`,
        detail: `the contents of records ${id} and ${other.id} were exchanged`,
      })
    } else {
      findings.push({
        code: 'RecordEdited',
        where,
        detail: `the bytes of record ${id} are not those that were committed`,
      })
    }
  }
  return findings
}

/** A record and its seal that agree with each other but not with the witness were changed together. */
function contradictions(witness: readonly WitnessLine[], expected: Expectations): Finding[] {
  return witness.flatMap(({ id, leaf }) => {
    const wanted = expected.find(id)
    return !wanted || equal(wanted.leaf, leaf)
      ? []
      : {
          code: 'RecordEdited',
          where: wanted.where,
          detail: `record ${id} was changed before it was sealed: the witness saw other bytes`,
        }
  })
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const forged = (record: CheckedRecord, where: string): Finding => ({
  code: 'RecordForged',
  where,
  detail: `the MAC of record ${record.id} is not one of key ${record.key}`,
})

const misfiled = ({ id }: CheckedRecord, where: string): Finding => ({
  code: 'RecordMisfiled',
  where,
  detail: `what lies or is numbered as record ${id} names another id, tenant or key of its MAC`,
})

const unaccounted = ({ id }: CheckedRecord): Finding => ({
  code: 'RecordUnaccounted',
  where: id,
  detail: `record ${id} was inserted past the log, or its seal was taken away`,
})
