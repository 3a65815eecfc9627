import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditLog, collect, type LogRecord, readLine, writeLine } from '#core/audit/export'
import { place } from '#core/audit/findings'
import { COMMANDS } from '../../cli/commands.ts'
import { dispatch } from '../../cli/dispatch.ts'
import { positionOf } from '../../gateway/sealer/progress.ts'
import { kubectl } from '../support/cluster.ts'
import { accessToken, edgeClient } from '../support/edge.ts'
import { takeLogOut } from '../support/log-taken-out.ts'

/**
 * The platform's own log with the evidence that lies outside of its database, and what somebody could have done to it.
 * That is done to what was taken out: the log itself stays as it is.
 */
let folder = ''
let verifier = ''
/** What the secret store remembers of the log. */
let newest = ''
let log: AuditLog
let seals: AuditLog['seals']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-tampering-'))
  const edge = await edgeClient()
  await accessToken(edge)
  await edge.close()
  const taken = await takeLogOut(folder)
  expect(taken.code, taken.stderr + taken.stdout).toBe(0)
  newest = await readFile(join(folder, 'checkpoint.note'), 'utf8')
  const said = await kubectl('logs', 'deploy/sealer', '-n', 'palisade-system')
  verifier = [...said.matchAll(/"verifier":"([^"]+)"/g)].at(-1)?.[1] ?? ''
  const lines = (await readFile(join(folder, 'log.jsonl'), 'utf8')).split('\n')
  log = collect(lines.filter((line) => line !== '').map(readLine))
  ;({ seals } = log)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What `palisade audit verify` says of such a log: the code that it ends with, and each finding with its place. */
async function verdict(changed: AuditLog, checkpoint = newest) {
  const { header, records, pending, batches } = changed
  const all = [header, ...records, ...pending, ...changed.seals, ...batches]
  const at = (name: string) => join(folder, name)
  await writeFile(at('changed.jsonl'), `${all.map(writeLine).join('\n')}\n`)
  await writeFile(at('outside.note'), checkpoint)
  const words = ['audit', 'verify', at('changed.jsonl'), '--key', verifier]
  const evidence = ['--witness', at('gateway.log'), '--checkpoint', at('outside.note')]
  const said: string[] = []
  const code = await dispatch(COMMANDS, [...words, ...evidence], (line) => said.push(line))
  const findings = said.flatMap((line) => /^ {2}(\w+ at .+?):/.exec(line)?.[1] ?? [])
  return { code, findings }
}

const without = (ids: readonly string[], of = log): AuditLog => {
  const records = of.records.filter(({ id }) => !ids.includes(id))
  expect(records).toHaveLength(of.records.length - ids.length)
  return { ...of, records }
}

const changed = (id: string, change: Partial<LogRecord>, of = log): AuditLog => ({
  ...of,
  records: of.records.map((record) => (record.id === id ? { ...record, ...change } : record)),
})

/** Each holds what the other held. */
function swapped(a: string, b: string, of = log): AuditLog {
  const bytes = (wanted: string): Pick<LogRecord, 'record' | 'mac'> => {
    const { record, mac } = of.records.find(({ id }) => id === wanted)!
    return { record, mac }
  }
  return changed(a, bytes(b), changed(b, bytes(a), of))
}

describe('sealed records of the platform', () => {
  const two = () => [seals[Math.floor(seals.length / 3)]!, seals[Math.floor(seals.length / 2)]!]
  const placeOf = ({ epoch, seq }: { epoch: number; seq: number }) => place(epoch, seq)

  it('are found edited', async () => {
    const [one] = two()
    const text = log.records.find(({ id }) => id === one!.id)!.record.toString()
    const record = Buffer.from(text.replace('"outcome":"', '"outcome":"x'))
    expect(record.toString()).not.toBe(text)
    const findings = [`RecordEdited at ${placeOf(one!)}`]
    expect(await verdict(changed(one!.id, { record }))).toEqual({ code: 3, findings })
  })

  it('are missed when one is deleted', async () => {
    const [one] = two()
    const findings = [`RecordDeleted at ${placeOf(one!)}`]
    expect(await verdict(without([one!.id]))).toEqual({ code: 3, findings })
  })

  it('are missed when one is deleted with its seal', async () => {
    const [one] = two()
    const rest = { ...without([one!.id]), seals: seals.filter(({ id }) => id !== one!.id) }
    const { code, findings } = await verdict(rest)
    expect(code).toBe(3)
    expect(findings).toContain(`SealDeleted at ${placeOf(one!)}`)
  })

  it('are told apart when two are swapped', async () => {
    const [one, other] = two()
    const { code, findings } = await verdict(swapped(one!.id, other!.id))
    expect(code).toBe(3)
    expect(findings).toEqual([
      expect.stringMatching(/^RecordsSwapped at \d+\/\d+ and \d+\/\d+$/) as string,
    ])
    for (const seal of [one!, other!]) expect(findings[0]).toContain(placeOf(seal))
  })
})

/** What the newest checkpoint knows and the one before it did not, and what is left without. */
function newestBatch() {
  const { epoch, size } = positionOf(newest)
  const batches = log.batches.filter((batch) => batch.epoch < epoch || batch.last < size)
  const last = batches.at(-1)?.last ?? 0
  const tail = seals.filter((seal) => seal.epoch === epoch && seal.seq > last)
  const rest = seals.filter((seal) => !tail.includes(seal))
  return { tail, batches, rest, places: place(epoch, last + 1, size) }
}

describe('the tail of the log of the platform', () => {
  it('is missed when records, seals and batches are cut off together', async () => {
    const { tail, batches, rest, places } = newestBatch()
    const shorter = without(tail.map(({ id }) => id))
    const { code, findings } = await verdict({ ...shorter, batches, seals: rest })
    expect(code).toBe(3)
    expect(findings).toContain(`TailCut at ${places}`)
  })
})

describe('an old dump of the log of the platform', () => {
  it('is found when it was restored, and not called tampering', async () => {
    const { tail, batches, rest, places } = newestBatch()
    // Nothing is in it that came later, and it counts no batch that it never had.
    const gone = new Set([...tail, ...log.pending].map(({ id }) => id))
    const batchCounter = log.header.batchCounter - (log.batches.length - batches.length)
    const { code, findings } = await verdict({
      header: { ...log.header, batchCounter },
      records: log.records.filter(({ id }) => !gone.has(id)),
      ...{ pending: [], batches, seals: rest },
    })
    expect({ code, findings }).toEqual({ code: 3, findings: [`RestoredDump at ${places}`] })
  })
})

describe('records of the platform that wait to be sealed', () => {
  let waiting: readonly string[]
  /** The log as it stood a few batches ago, and the checkpoint that the store had then. */
  let earlier: AuditLog
  let checkpoint: string
  const SUCCESS = '"outcome":"success"'
  beforeAll(() => {
    const newestEpoch = seals.at(-1)?.epoch ?? 0
    const [, , third] = [...seals].reverse()
    const batches = log.batches.filter(
      ({ epoch, last }) => epoch < newestEpoch || last < (third?.seq ?? 0),
    )
    const last = batches.at(-1)
    const isSealed = ({ epoch, seq }: { epoch: number; seq: number }) =>
      epoch < newestEpoch || seq <= (last?.last ?? 0)
    const open = seals.filter((seal) => !isSealed(seal))
    waiting = open.map(({ id }) => id)
    checkpoint = last?.checkpoint ?? ''
    const counter = log.header.batchCounter - (log.batches.length - batches.length)
    earlier = {
      header: { ...log.header, batchCounter: counter },
      records: log.records,
      pending: [
        ...log.pending,
        ...open.map(({ id, leaf }) => ({ type: 'pending' as const, id, leaf })),
      ],
      seals: seals.filter(isSealed),
      batches,
    }
  })

  it('are in order as long as nobody was at them', async () => {
    expect(waiting.length).toBeGreaterThan(2)
    expect(await verdict(earlier, checkpoint)).toEqual({ code: 0, findings: [] })
  })

  it('are missed when one is deleted', async () => {
    const [, id = ''] = waiting
    const findings = [`UnsealedDeleted at ${id}`]
    expect(await verdict(without([id], earlier), checkpoint)).toEqual({ code: 3, findings })
  })

  it('are seen by the witness when one is deleted and nothing remembers it', async () => {
    // A record that a container wrote which has ended since is in no log that is left.
    const seen = await readFile(join(folder, 'gateway.log'), 'utf8')
    const id = waiting.find((one) => seen.includes(one)) ?? ''
    const pending = earlier.pending.filter((one) => one.id !== id)
    const findings = [`UnsealedDeleted at ${id}`]
    const rest = { ...without([id], earlier), pending }
    expect(await verdict(rest, checkpoint)).toEqual({ code: 3, findings })
  })

  it('are told apart when two are swapped', async () => {
    const [a = '', b = ''] = waiting
    const { code, findings } = await verdict(swapped(a, b, earlier), checkpoint)
    expect(code).toBe(3)
    expect(findings).toEqual([expect.stringContaining('RecordsSwapped at ') as string])
  })

  it('are found edited', async () => {
    const texts = log.records.map(({ id, record }) => [id, record.toString()] as const)
    const [id = '', text = ''] =
      texts.find(([one, said]) => waiting.includes(one) && said.includes(SUCCESS)) ?? []
    const record = Buffer.from(text.replace(SUCCESS, '"outcome":"refused"'))
    const edited = changed(id, { record }, earlier)
    const findings = [`RecordEdited at ${id}`]
    expect(await verdict(edited, checkpoint)).toEqual({ code: 3, findings })
  })
})
