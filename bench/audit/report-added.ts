import { spreadText } from '../spread.ts'
import type { AddedLatency, Side } from './added-latency.ts'
import type { Latencies } from './latencies.ts'
import type { Meanwhile } from './meanwhile.ts'
import { isTrial, type Occasion } from './occasion.ts'

/** It can be measured alone, so it says itself when and how. */
export type AddedRun = AddedLatency & Occasion

type Quantile = 'p50' | 'p95' | 'p99' | 'p999'
const QUANTILES: readonly Quantile[] = ['p50', 'p95', 'p99', 'p999']

/** Milliseconds between the two sides, over all samples of all rounds. */
export const addedTo = (quantile: Quantile, { bare, audited }: AddedRun): number =>
  audited.all[quantile] - bare.all[quantile]

/** The same of each round by itself. */
export const addedByRound = (quantile: Quantile, { bare, audited }: AddedRun): number[] =>
  audited.rounds.map((round, i) => round[quantile] - (bare.rounds[i]?.[quantile] ?? NaN))

const millis = (n: number) => n.toFixed(n < 1 ? 2 : 1)
const row = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`

export function addedSection(added: AddedRun): string[] {
  return [
    '## What a record adds to a request',
    '',
    ...setting(added),
    '',
    ...latencies(added),
    '',
    ...slowest(added),
    '',
    ...meanwhile(added),
  ]
}

function setting(added: AddedRun): string[] {
  const { rate, rounds, seconds, records, postgres, at, command, machine, load } = added
  const set = Object.entries(postgres).map(([name, value]) => `${name} ${value}`)
  return [
    `${at.slice(0, 16)}Z, commit ${machine.commit}, \`${command}\`: ${machine.cores} cores (${machine.cpu}), load before ${load.before.toFixed(2)}${isTrial(added) ? ': **not quiet, a trial whose milliseconds nobody should quote**' : ''}. A look-up of a secret at ${rate}/s, without a record and with it in one transaction, taking turns: ${rounds} rounds of ${seconds} s for each side, behind ${records} records. Settings are the platform's: ${set.join(', ')}.`,
    '',
    'Requests come when they are due, whatever became of those before, and their time runs from that moment; the generator is a thread of the measured process, on the same two cores as PostgreSQL and the sealer. Quantiles are of all samples of a side, which the rounds only divide.',
  ]
}

function latencies(added: AddedRun): string[] {
  const { bare, audited, disk, rate } = added
  const cells = (all: Latencies) => [...QUANTILES.map((q) => millis(all[q])), millis(all.longest)]
  return [
    row(`ms, at ${rate}/s`, 'samples', 'p50', 'p95', 'p99', 'p99.9', 'longest'),
    row('---', '---', '---', '---', '---', '---', '---'),
    row('without a record', bare.all.count, ...cells(bare.all)),
    row('with its record', audited.all.count, ...cells(audited.all)),
    row('added', '', ...QUANTILES.map((q) => `**${millis(addedTo(q, added))}**`), ''),
    row('one fdatasync of 8 kB at this rate, database at rest', disk.count, ...cells(disk)),
    '',
    `p99 added, round by round: ${spreadText(addedByRound('p99', added), millis)}, in order ${addedByRound('p99', added).map(millis).join(', ')}. A commit waits for at least one sync, so what the disk takes is part of what is added.`,
  ]
}

function slowest({ bare, audited }: AddedRun): string[] {
  const cells = (of: (side: Side) => number) => [bare, audited].map((side) => millis(of(side)))
  return [
    row('slowest hundredth, mean ms', 'without', 'with'),
    row('---', '---', '---'),
    row('sent late by the generator', ...cells(({ slowest }) => slowest.generator)),
    row('waited for the event loop', ...cells(({ slowest }) => slowest.eventLoop)),
    row('in the call: records, connection, database', ...cells(({ slowest }) => slowest.call)),
    row('generator late, p99 of all', ...cells(({ sentLateP99 }) => sentLateP99)),
  ]
}

const COUNTS: readonly (readonly [string, (seen: Meanwhile, requests: number) => string])[] = [
  ['fsyncs of the write-ahead log a request', ({ fsyncs }, n) => (fsyncs / n).toFixed(2)],
  ['bytes of write-ahead log a request', ({ walBytes }, n) => (walBytes / n).toFixed(0)],
  ['pages written whole to it', ({ fullPages }) => String(fullPages)],
  ['files of it made anew', ({ walFiles }) => String(walFiles)],
  ['checkpoints that ended', ({ checkpoints }) => String(checkpoints)],
  ['pages that checkpoints wrote', ({ checkpointPages }) => String(checkpointPages)],
  ['runs of autovacuum', ({ autovacuums }) => String(autovacuums)],
  ['connections opened', ({ connections }) => String(connections)],
  ['batches sealed', ({ batches }) => String(batches)],
  ['pauses of the garbage collector', ({ gcPauses }) => String(gcPauses)],
  ['the longest of them, ms', ({ gcLongestMs }) => millis(gcLongestMs)],
  ['processor time taken by the host, ms', ({ stealMs }) => stealMs.toFixed(0)],
]

function meanwhile({ bare, audited }: AddedRun): string[] {
  return [
    row('meanwhile', 'without', 'with'),
    row('---', '---', '---'),
    ...COUNTS.map(([name, text]) =>
      row(name, ...[bare, audited].map((side) => text(side.meanwhile, side.all.count))),
    ),
  ]
}
