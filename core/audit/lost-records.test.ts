import { describe, expect, it } from 'vitest'
import { recordOf, sealedLog, VERIFIERS } from '../../test/support/sealed-log.ts'
import { uuidV7 } from '../uuid.ts'
import { checkLog, type CheckedLog } from './checked-log.ts'
import type { Loss } from './epochs.ts'
import type { Finding } from './findings.ts'
import { explainLost } from './lost-records.ts'
import { EMPTY_ROOT } from './merkle.ts'

const SURVIVED = Date.parse('2026-01-02T03:00:00Z')
const DECIDED = Date.parse('2026-01-02T05:00:00Z')
const idAt = (time: number) => uuidV7({ now: () => new Date(time) })

/** One record, sealed when the backup was made. */
async function survivor(id = idAt(SURVIVED)): Promise<CheckedLog> {
  const log = await sealedLog([{ ...recordOf(1), id }], [1])
  return checkLog(log, { verifiers: VERIFIERS, macKeys: new Map() })
}

const end = (epoch: number, size: number) => ({ epoch, size, root: EMPTY_ROOT })

const loss = (overrides: Partial<Loss> = {}): Loss => ({
  epoch: 2,
  range: '1/2..9',
  opening: { survives: end(1, 1), lost: end(1, 9) },
  decision: { people: ['ada', 'bert'], reference: 'INC-1', at: new Date(DECIDED) },
  ...overrides,
})

const gone = (where: string): Finding => ({ code: 'UnsealedDeleted', where, detail: '' })

function left(log: CheckedLog, id: string, of = loss()): number {
  const { findings, missing } = explainLost(log, [gone(id)], [of])
  expect(findings.length + (missing[0] ?? 0)).toBe(1)
  return findings.length
}

describe('a record that a witness saw and that is gone', () => {
  it.each([
    ['between what survived and the decision', SURVIVED + 1_000, 0],
    ['just before what survived, since clocks differ', SURVIVED - 30_000, 0],
    ['long before what survived', SURVIVED - 120_000, 1],
    ['after the decision', DECIDED + 1_000, 1],
  ])('of a time %s', async (_, time, findings) => {
    expect(left(await survivor(), idAt(time))).toBe(findings)
  })

  it('was not lost when the decision of two people is gone, which would say until when', async () => {
    const undecided: Loss = { epoch: 2, range: '', opening: loss().opening }
    expect(left(await survivor(), idAt(SURVIVED + 1_000), undecided)).toBe(1)
  })

  it('was not lost when its id does not tell of when it is', async () => {
    expect(left(await survivor(), '00000000-0000-4000-8000-000000000001')).toBe(1)
  })

  it('was not lost when nobody knows of when what survived is', async () => {
    const log = await survivor('00000000-0000-4000-8000-000000000001')
    expect(left(log, idAt(SURVIVED + 1_000))).toBe(1)
  })

  it('was lost with everything when nothing survived', async () => {
    const all = loss({ opening: { survives: end(1, 0), lost: end(1, 9) } })
    expect(left(await survivor(), idAt(SURVIVED - 86_400_000), all)).toBe(0)
  })
})
