import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { busyWith, loadNow, machineOf } from '../quiet.ts'
import { measureAdded } from './added-latency.ts'
import { recordMaker } from './make-log.ts'
import type { Occasion } from './occasion.ts'
import { readOptions } from './options.ts'
import { Palisade } from './palisade.ts'
import { buildPeers, PEERS, type Peer, type PeerRun, runPeer } from './peers.ts'
import { proofSizes } from './proof-sizes.ts'
import { type AddedRun } from './report-added.ts'
import { markdownOf, type Measured, type Round } from './report.ts'
import { makeExport, verifyExport, type VerificationRun } from './verification.ts'

/**
 * The audit log beside Tessera and immudb, on the same disk; what a record adds to a request; then its verification.
 * Rounds are interleaved, so that whatever else the machine does falls on all of them. Writes audit.json and audit.md.
 */
const WRITERS = { full: 64, wide: 1024 }
const RATE = 500
const PER_BATCH = 250

const { counts, only, out, anyLoad } = optionsOrExit()
const { rounds, seconds, records, verifications } = counts
const before = loadNow()
const busy = busyWith(before, anyLoad)
if (busy !== undefined) {
  console.error(busy)
  process.exit(3)
}
const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)

const measured =
  only === undefined ? await everything() : { ...(await last()), added: await added() }
await mkdir(out, { recursive: true })
await writeFile(join(out, 'audit.json'), `${JSON.stringify(measured, null, 2)}\n`)
await writeFile(join(out, 'audit.md'), markdownOf(measured))
console.log(markdownOf(measured))

function optionsOrExit() {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exit(2)
  }
}

function occasion(): Occasion {
  const args = process.argv.slice(2)
  return {
    at: new Date().toISOString(),
    command: `make bench-audit${args.length > 0 ? ` ARGS="${args.join(' ')}"` : ''}`,
    machine: machineOf(),
    load: { before, after: loadNow() },
  }
}

async function last(): Promise<Measured> {
  return JSON.parse(await readFile(join(out, 'audit.json'), 'utf8')) as Measured
}

async function added(): Promise<AddedRun> {
  const wish = {
    rate: RATE,
    rounds: counts['pair-rounds'],
    seconds: counts['pair-seconds'],
    records: counts['pair-records'],
  }
  return { ...(await measureAdded(wish, say)), ...occasion() }
}

async function everything(): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-bench-'))
  try {
    say('compiling the peers')
    const programs = await buildPeers()
    const recordBytes = (await recordMaker({ id: 'bench', secret: randomBytes(32) })(0)).bytes
      .length
    const measuredRounds: Round[] = []
    const palisade = await Palisade.start()
    const postgres = await palisade.settings()
    try {
      for (let round = 0; round < rounds; round += 1) {
        say(`round ${round + 1} of ${rounds}`)
        measuredRounds.push(
          await oneRound(palisade, { programs, folder, recordBytes }, round % 2 === 1),
        )
      }
    } finally {
      await palisade.stop()
    }
    const pair = await added()
    say(`making a log of ${records} records`)
    const log = await makeExport(folder, records, PER_BATCH)
    const verified: VerificationRun[] = []
    for (let one = 1; one <= verifications; one += 1) {
      say(`verification ${one} of ${verifications}`)
      verified.push(await verifyExport(log))
    }
    return {
      ...occasion(),
      go: execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
        .trim()
        .replace('go', 'Go '),
      postgres,
      recordBytes,
      writers: WRITERS,
      rate: RATE,
      seconds,
      rounds: measuredRounds,
      added: pair,
      log: { records: log.records, perBatch: log.perBatch, bytes: log.bytes },
      verified,
      proofs: proofSizes(1_000_000),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** There and back, so that none always follows the same one. */
async function oneRound(
  palisade: Palisade,
  setting: { readonly programs: string; readonly folder: string; readonly recordBytes: number },
  isBack: boolean,
): Promise<Round> {
  const { programs, folder, recordBytes } = setting
  const load = { seconds, rate: RATE, recordBytes }
  const peer = async (name: Peer): Promise<{ full: PeerRun; wide: PeerRun }> => ({
    full: await runPeer(programs, name, folder, { ...load, writers: WRITERS.full }),
    wide: await runPeer(programs, name, folder, { ...load, writers: WRITERS.wide, rate: 0 }),
  })
  const own = async () => ({
    full: await palisade.full(WRITERS.full, seconds),
    wide: await palisade.full(WRITERS.wide, seconds),
    steady: await palisade.steady(RATE, seconds),
  })
  const peers: Partial<Record<Peer, { full: PeerRun; wide: PeerRun }>> = {}
  const mine = isBack ? undefined : await own()
  for (const name of isBack ? PEERS.toReversed() : PEERS) peers[name] = await peer(name)
  return { ...(mine ?? (await own())), peers: peers as Round['peers'] }
}
