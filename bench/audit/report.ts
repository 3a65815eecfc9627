import { spreadOf, spreadText } from '../spread.ts'
import type { Part } from './load.ts'
import { isTrial, type Occasion } from './occasion.ts'
import type { Costs, Sealing } from './palisade.ts'
import { PEERS, type Peer, type PeerRun } from './peers.ts'
import type { ProofSizes } from './proof-sizes.ts'
import { addedSection, addedTo, type AddedRun } from './report-added.ts'
import type { Export, VerificationRun } from './verification.ts'

export type OwnPart = Part & Costs & Sealing

/** Everything of one round, one after another. */
export interface Round {
  readonly full: OwnPart
  readonly wide: OwnPart
  readonly steady: OwnPart
  readonly peers: Readonly<Record<Peer, { readonly full: PeerRun; readonly wide: PeerRun }>>
}

export interface Measured extends Occasion {
  readonly go: string
  readonly postgres: Readonly<Record<string, string>>
  readonly recordBytes: number
  readonly writers: { readonly full: number; readonly wide: number }
  readonly rate: number
  readonly seconds: number
  readonly rounds: readonly Round[]
  readonly added: AddedRun
  readonly log: Omit<Export, 'path' | 'evidence'>
  readonly verified: readonly VerificationRun[]
  readonly proofs: ProofSizes
}

export interface Verdict {
  readonly promise: string
  readonly measured: string
  readonly isKept: boolean
  readonly isTrial: boolean
}

const whole = (n: number) => n.toFixed(0)
const millis = (n: number) => n.toFixed(1)

export function verdictsOf({ rounds, added, verified, log, load }: Measured): Verdict[] {
  const median = (of: (round: Round) => number) => spreadOf(rounds.map(of)).median
  const judge = (promise: string, value: number, unit: string, limit: number, isLeast = false) => ({
    promise,
    measured: `${unit === '/s' ? whole(value) : value.toFixed(2)} ${unit}`.replace(' /', '/'),
    isKept: isLeast ? value >= limit : value <= limit,
    isTrial: isTrial({ load }),
  })
  const { median: seconds } = spreadOf(verified.map((run) => run.seconds))
  // A smaller log tells nothing of a million: the start of the process weighs more.
  const million = log.records < 1e6 ? NaN : (seconds * 1e6) / log.records
  return [
    judge(
      'at least 3,000 durable records/s',
      median(({ full }) => full.perSecond),
      '/s',
      3_000,
      true,
    ),
    {
      ...judge(`at most 10 ms added to p99 at ${added.rate}/s`, addedTo('p99', added), 'ms', 10),
      isTrial: isTrial(added),
    },
    judge(
      'seal lag p99 at most 1 s, at full speed',
      median(({ full }) => full.sealP99) / 1000,
      's',
      1,
    ),
    judge(`1,000,000 records verified in at most 15 s`, million, 's', 15),
  ]
}

export function markdownOf(measured: Measured): string {
  return [
    '# Audit log: append, seal, verify',
    '',
    ...setting(measured),
    '',
    ...appends(measured),
    '',
    ...costs(measured),
    '',
    ...addedSection(measured.added),
    '',
    ...verification(measured),
    '',
    ...proofs(measured),
    '',
    '| promise | measured | kept |',
    '| --- | --- | --- |',
    ...verdictsOf(measured).map(
      (verdict) =>
        `| ${verdict.promise} | ${verdict.measured} | ${verdict.isTrial ? 'a trial' : verdict.isKept ? 'yes' : '**no**'} |`,
    ),
    '',
  ].join('\n')
}

function setting({ at, command, machine, go, postgres, load, ...rest }: Measured): string[] {
  const { server_version: version, ...settings } = postgres
  const set = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  return [
    `${at.slice(0, 10)}, commit ${machine.commit}, \`${command}\`: ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, ${go}, PostgreSQL ${version} (${set.join(', ')}). Load before ${load.before.toFixed(2)}, after ${load.after.toFixed(2)}.`,
    ...(isTrial({ load })
      ? [
          '',
          '**The machine was not quiet: a trial, whose records/s and milliseconds nobody should quote.** Fsyncs, bytes and processor time per record hold.',
        ]
      : []),
    '',
    `${rest.rounds.length} interleaved rounds of ${rest.seconds} s for each part, everything on the same cores and the same disk; records of ${rest.recordBytes} bytes. Medians, with the range over the rounds.`,
  ]
}

function appends({ rounds, writers, rate }: Measured): string[] {
  const row = (
    name: string,
    count: number,
    part: (round: Round) => Part,
    steady?: (r: Round) => Part | undefined,
  ) => {
    const cells = [
      name,
      count,
      spreadText(
        rounds.map((one) => part(one).perSecond),
        whole,
      ),
      spreadText(
        rounds.map((one) => part(one).perSecond / (one.full.perSecond || NaN)),
        (n) => n.toFixed(2),
      ),
      millis(spreadOf(rounds.map((one) => part(one).p50)).median),
      millis(spreadOf(rounds.map((one) => part(one).p99)).median),
      steady
        ? spreadText(
            rounds.map((one) => steady(one)?.p99 ?? NaN),
            millis,
          )
        : '',
    ]
    return `| ${cells.join(' | ')} |`
  }
  const versions = PEERS.map((peer) => `${peer} ${rounds[0]?.peers[peer].full.version ?? ''}`)
  return [
    '## Durable appends',
    '',
    `| system | at once | records/s | of ours at ${writers.full} | p50 ms | p99 ms | p99 ms at ${rate}/s |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    row(
      'Palisade',
      writers.full,
      ({ full }) => full,
      ({ steady }) => steady,
    ),
    ...PEERS.map((peer) =>
      row(
        peer,
        writers.full,
        ({ peers }) => peers[peer].full.full,
        ({ peers }) => peers[peer].full.steady,
      ),
    ),
    row('Palisade', writers.wide, ({ wide }) => wide),
    ...PEERS.map((peer) => row(peer, writers.wide, ({ peers }) => peers[peer].wide.full)),
    '',
    `Palisade: each record is made, encrypted and authenticated by the gateway's writer and committed by the gateway's store over 16 connections, with row-level security, alone or together with those that wait at the same moment; the sealer works beside it. ${versions.join(', ')}, as Go programs under [bench/audit/peers](../audit/peers): Tessera on POSIX files answers when a batch (256 records or 100 ms) is in the tree and synced, so few callers wait for the age of a batch and many fill it. immudb embedded, synced, one record per transaction, answers after a sync that it makes at most every 20 ms. Neither authenticates records, knows tenants, or goes through a network socket.`,
  ]
}

function costs({ rounds }: Measured): string[] {
  const cell = (of: (part: OwnPart) => number, digits: number) =>
    (['full', 'wide', 'steady'] as const).map((part) =>
      spreadOf(rounds.map((round) => of(round[part]))).median.toFixed(digits),
    )
  const line = (name: string, cells: readonly string[]) => `| ${name} | ${cells.join(' | ')} |`
  return [
    '## What a record costs',
    '',
    '| per record | at full speed | with many writers | at the fixed rate |',
    '| --- | --- | --- | --- |',
    line('round trips, at most', ['1', '1', '1']),
    line(
      'fsyncs of the write-ahead log',
      cell(({ fsyncs }) => fsyncs, 2),
    ),
    line(
      'bytes of write-ahead log',
      cell(({ walBytes }) => walBytes, 0),
    ),
    line(
      'CPU µs, gateway and load',
      cell(({ gatewayCpu }) => gatewayCpu, 0),
    ),
    line(
      'CPU µs, PostgreSQL',
      cell(({ postgresCpu }) => postgresCpu, 0),
    ),
    line(
      'CPU µs, sealer',
      cell(({ sealerCpu }) => sealerCpu, 0),
    ),
    line(
      'seal lag p99, ms',
      cell(({ sealP99 }) => sealP99, 0),
    ),
    '',
    'Seal lag is from the insert of a record to that of its batch. Counts are those of `pg_stat_io` and of the position in the write-ahead log, sealing included.',
  ]
}

function verification({ log, verified }: Measured): string[] {
  return [
    '## Verification',
    '',
    `\`palisade audit verify\` of ${log.records} records in batches of ${log.perBatch} (${(log.bytes / 1e9).toFixed(2)} GB), with the key of the log, a checkpoint and the MAC keys; from the start of the process to its end, ${verified.length} runs: ${spreadText(
      verified.map(({ seconds }) => seconds),
      (n) => `${n.toFixed(1)} s`,
    )}, ${spreadText(
      verified.map(({ cpuSeconds }) => cpuSeconds),
      (n) => `${n.toFixed(1)} s`,
    )} of processor time, peak memory ${spreadText(
      verified.map(({ peakMiB }) => peakMiB),
      (n) => `${n.toFixed(0)} MiB`,
    )}.`,
  ]
}

const proofs = ({ proofs: { size, record, tenant, consistency } }: Measured): string[] => [
  '## Proofs',
  '',
  `In a log of ${size} records: one record ${record.hashes} hashes, ${record.bytes} bytes; a tenant with ${tenant.records} records ${(tenant.bytes / 1e6).toFixed(1)} MB; that nothing was rewritten since half of it ${consistency.hashes} hashes, ${consistency.bytes} bytes. The record itself and the signed checkpoint, about 300 bytes, come on top; hashes travel as base64.`,
]
